"""Whether as many traces were kept as the sampler says: pure arithmetic."""

import math

DEVIATIONS = 5.0
"""Standard deviations that chance may explain: it goes beyond them less than once in a million."""
_NEVER = 1e-6


def plausible(kept: float, of: float, ratio: float) -> bool:
    """Whether `kept` out of `of` independent draws fits a share of `ratio`."""
    deviation = math.sqrt(max(of * ratio * (1 - ratio), 0.0))
    # One more on either side: counts are whole, and few draws are not normal yet.
    return abs(kept - of * ratio) <= DEVIATIONS * deviation + 1.0


def certain(of: float, ratio: float) -> bool:
    """Whether at least one of `of` independent draws must have been kept, but for one chance in a million."""
    if ratio >= 1:
        return of >= 1
    return ratio > 0 and of * math.log1p(-ratio) < math.log(_NEVER)
