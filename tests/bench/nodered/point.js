const FIX = ["lat", "lon", "altitude_m", "speed_mps", "course_deg", "hdop", "accuracy_m", "satellites"];
const reading = msg.payload;
if (!["fix", "input", "meter", "signal"].includes(reading.kind)) return null;
const isGlobal = reading.device.startsWith("imei:") || reading.device.startsWith("id:");
const device = isGlobal ? reading.device : msg.topic.split("/")[2] + "/" + reading.device;
const timestamp = new Date(reading.at);
if (reading.kind === "fix") {
    const fields = {};
    for (const name of FIX) {
        if (reading[name] != null) fields[name] = reading[name];
    }
    msg.payload = { measurement: "fix", tags: { device }, fields, timestamp };
} else {
    const value = reading.kind === "input" ? Number(reading.on) : reading.value;
    const tags = { device, name: reading.name, unit: reading.unit || "1" };
    msg.payload = { measurement: "value", tags, fields: { value }, timestamp };
}
delete msg.parts;
return msg;
