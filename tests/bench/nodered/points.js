const FIX = ["lat", "lon", "altitude_m", "speed_mps", "course_deg", "hdop", "accuracy_m", "satellites"];
const gateway = msg.topic.split("/")[2];
let points = context.get("points") || [];
for (const reading of msg.payload.readings) {
    const isGlobal = reading.device.startsWith("imei:") || reading.device.startsWith("id:");
    const device = isGlobal ? reading.device : gateway + "/" + reading.device;
    const timestamp = new Date(reading.at);
    if (reading.kind === "fix") {
        const fields = {};
        for (const name of FIX) {
            if (reading[name] != null) fields[name] = reading[name];
        }
        points.push({ measurement: "fix", tags: { device }, fields, timestamp });
    } else if (reading.kind === "input" || reading.kind === "meter" || reading.kind === "signal") {
        const value = reading.kind === "input" ? Number(reading.on) : reading.value;
        const tags = { device, name: reading.name, unit: reading.unit || "1" };
        points.push({ measurement: "value", tags, fields: { value }, timestamp });
    }
}
context.set("points", points);
if (points.length < 500) return null;
context.set("points", []);
return { payload: points };
