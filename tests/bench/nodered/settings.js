module.exports = {
    uiHost: "127.0.0.1",
    uiPort: process.env.UI_PORT,
    httpAdminRoot: false,
    httpNodeRoot: false,
    credentialSecret: false,
    telemetry: { enabled: false },
    logging: { console: { level: "info", metrics: false, audit: false } },
};
