"""What other programs read: feeds in formats of theirs."""
