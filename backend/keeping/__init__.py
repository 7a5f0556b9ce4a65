"""Keeping the book: backups of a running backend, restoring them, and what is forgotten after its time."""
