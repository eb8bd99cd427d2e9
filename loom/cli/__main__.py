"""`python -m loom.cli`."""

from loom.cli.main import main

main()
