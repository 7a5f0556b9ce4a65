"""Work in the warehouse, in the book: picks, put-away, counts and sweeps."""
