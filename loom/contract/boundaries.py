"""Bucket boundaries that fit what they measure; seconds unless said otherwise."""


def _decades(first: int, last: int, *steps: float) -> tuple[float, ...]:
    """`steps` in each power of ten from `first` up to and including 10**`last`."""
    inner = [float(f"{step}e{power}") for power in range(first, last) for step in steps]
    return (*inner, float(f"1e{last}"))


PUBLISH = _decades(-6, 0, 1, 2.5, 5)
"""1 µs to 1 s: a publish is a few microseconds, unless it waits for a slot."""

CALL = (*_decades(-4, 1, 1, 2.5, 5), 30.0, 60.0)
"""0.1 ms to 60 s: a native call up to a slow tool."""

HANDLE = (*_decades(-4, 1, 1, 2.5, 5), 30.0, 60.0, 300.0)
"""0.1 ms to 5 min: one event in an agent, its actions included."""

ESTIMATE = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
"""1 ms to 10 s: what the router expects a route to take."""

DISCOVERY = _decades(-5, 1, 1, 2.5, 5)
"""10 µs to 10 s: listing tools, from memory or over the network."""

CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""0 to 1, without unit; finer where thresholds lie."""

COST = _decades(-5, 0, 1, 2.5, 5)
"""0.00001 to 1 USD per event."""

MODEL_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""The boundaries that the GenAI conventions advise for operation durations."""

TOKENS = tuple(float(4**power) for power in range(14))
"""1 to 67,108,864 tokens: the boundaries that the GenAI conventions advise for token usage."""
