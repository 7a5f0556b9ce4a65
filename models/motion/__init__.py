"""How assets are used and where they are: running hours, distance, place, zones; folds in event time."""
