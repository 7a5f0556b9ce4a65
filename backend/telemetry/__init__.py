"""The telemetry store: what happened over time, for charts and models. Derived from the book, and rebuilt from it."""
