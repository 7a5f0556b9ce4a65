"""What others are told: every event that a receiver wants, at least once, however long it was away."""
