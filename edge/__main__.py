"""`python -m edge`: the same as `stockyard-edge`."""

from edge.cli import main

main()
