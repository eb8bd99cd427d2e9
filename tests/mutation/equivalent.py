"""Mutants that no test can tell from the original, each with the reason; they do not count."""

EQUIVALENT = {
    "PipelineProcessRestarting: threshold: 2 -> 2.5": "restarts are whole numbers",
}
"""A mutant's whole name → why nothing that can happen shows the difference."""
