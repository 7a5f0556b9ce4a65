"""Daemons beside the hardware: drivers, outbox, MQTT."""
