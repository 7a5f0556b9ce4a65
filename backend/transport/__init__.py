"""The transport that carries readings, receipts, status and events; MQTT is the first."""
