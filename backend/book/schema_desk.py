"""Tables of who is told of alerts, and mail."""
