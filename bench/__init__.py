"""Speed as ratios against peers, with their gates: `python -m bench`."""
