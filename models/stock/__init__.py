"""Stock: what is sold or consumed, by SKU, lot and quantity."""
