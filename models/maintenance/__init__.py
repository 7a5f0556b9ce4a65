"""Maintenance: when a plan's next service is due, and what is told of it."""
