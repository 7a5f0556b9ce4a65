"""Predictions: features as of a time, a model of failures with its card, the threshold of its alerts, and reasons."""
