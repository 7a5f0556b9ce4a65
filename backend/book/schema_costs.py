"""What stock is worth, in the book: costs as they became known, accounting periods, and what was posted in them."""
