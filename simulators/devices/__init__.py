"""Devices that speak outward exactly what hardware speaks."""
