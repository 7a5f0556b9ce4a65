"""Dock doors: what the reads of one tag at one door mean."""
