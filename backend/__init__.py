"""MQTT to journal, book and telemetry, planner, API and page."""
