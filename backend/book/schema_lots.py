"""Lots and reservations in the book: what of the stock is promised to whom."""
