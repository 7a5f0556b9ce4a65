"""A seeded world with a truth log, and devices that speak the real protocols outward."""
