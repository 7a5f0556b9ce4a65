"""What is ordered from suppliers and by customers, in the book."""
