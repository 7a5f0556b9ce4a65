"""Tables of occurrences of maintenance plans."""
