"""Tables of work orders."""
