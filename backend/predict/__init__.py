"""Failure prediction at work: training, the registry of models on disk, and the hourly scores."""
