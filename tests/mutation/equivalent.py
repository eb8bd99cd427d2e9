"""Mutants that no test can tell from the original, each with the reason; they do not count."""

EQUIVALENT = {
    "PipelineProcessRestarting: threshold: 3 -> 3.75": "restarts are whole numbers",
    **{
        f'CollectorDroppingData: matcher: job="otel-collector" -> none{number}': (
            "another's counter is new for five minutes, and for more it must hold"
        )
        for number in ("", " (3)", " (5)", " (7)")
    },
}
"""A mutant's whole name → why nothing that can happen shows the difference."""
