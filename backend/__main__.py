"""`python -m backend` is `stockyard`."""

from backend.cli import main

main()
