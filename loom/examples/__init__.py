"""Programs that show how Loom is used: `python -m loom.examples.NAME`."""
