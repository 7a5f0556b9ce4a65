"""Tables of what assets are worth: acquisitions, depreciation, disposals."""
