"""`python -m simulators`: the same as `stockyard-sim`."""

from simulators.cli import main

main()
