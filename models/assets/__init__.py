"""Assets: what is owned and used, and the life of one from order to disposal."""
