"""Time made short, in the rendered text only: what takes minutes by the rules takes seconds in a drill.

Causes, expressions, thresholds, labels and routes stay as they are. The rules' own tests prove them in true
time; the drill proves the way from a real cause to a receiver.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from loom.contract import canary
from loom.deploy.artifacts import alertmanager, collector, jaeger, supervisor
from loom.deploy.artifacts.model import Artifact
from loom.deploy.profile.quantity import Duration

FACTOR = 120
"""By which times are divided."""
LEAST, MOST = 4.0, 15.0
"""Seconds: below, a rate has too few values with a scrape a second; above, nobody wants to wait."""
STEPS = 2 * MOST
"""Seconds where steps are counted: half of them must last longer than an alert waits and is looked for."""
_INSTANT = 0.1
"""Seconds: the shortest wait."""
_DURATION = r"[0-9]+(?:ms|s|m|h|d|w|y)"
_WINDOW = rf"({canary.FAILURES.name}(?:{{[^}}]*}})?)?\[({_DURATION})(:{_DURATION})?\]"
"""A range or a subquery, after the canary's series or others."""
_AGE = r"(\(time\(\) - [^\n]*?\)\) > (?:bool )?)([0-9]+)\b"
"""How old something may be."""
YOUNG = 12.0
"""Seconds: the age that what the canary found has by itself."""
RESEND = '"--rules.alert.resend-delay=1s"'
"""Prometheus tells Alertmanager once a minute that an alert still fires: too seldom here."""


def compress(artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """The same files with times made short; those that hold none are as they were."""
    return tuple(replace(artifact, text=_scaled(artifact)) for artifact in artifacts)


def window(text: str) -> str:
    """How long a rule looks back: `5m` becomes `4000ms`."""
    return f"{round(1000 * min(MOST, max(LEAST, Duration.parse(text).seconds / FACTOR)))}ms"


def wait(text: str) -> str:
    """How long something waits: `10m` becomes `5000ms`."""
    return (
        text
        if text.startswith("0")
        else f"{round(1000 * max(_INSTANT, Duration.parse(text).seconds / FACTOR))}ms"
    )


def _scaled(artifact: Artifact) -> str:
    text = artifact.text
    for part, scaled in _FILES.items():
        if part in artifact.path:
            text = scaled(text)
    return text


def _rules(text: str) -> str:
    text = re.sub(_WINDOW, _looked_back, text)
    text = re.sub(_AGE, lambda found: f"{found[1]}{max(YOUNG, int(found[2]) / FACTOR):g}", text)
    text = re.sub(rf"\boffset ({_DURATION})", lambda found: f"offset {window(found[1])}", text)
    text = re.sub(
        r"(predict_linear\(.*?\], )([0-9]+)\)",
        lambda found: f"{found[1]}{float(found[2]) / FACTOR:g})",
        text,
    )
    return re.sub(rf"(?m)^( +for: )({_DURATION})$", lambda found: found[1] + wait(found[2]), text)


def _looked_back(found: re.Match[str]) -> str:
    rounds, span, step = found.groups()
    if step:
        return f"[{round(STEPS * 1000)}ms:1000ms]"
    # Rounds of the canary take seconds here too: several must fit into what is looked at.
    return f"{rounds}[{round(MOST * 1000)}ms]" if rounds else f"[{window(span)}]"


def _routes(text: str) -> str:
    keys = "group_wait|group_interval|repeat_interval"
    return re.sub(rf"(?m)^( +(?:{keys}): )({_DURATION})$", _route, text)


def _route(found: re.Match[str]) -> str:
    # The time after which an alert is repeated stays, but for the heartbeat's: nothing is to come twice.
    long = "repeat_interval" in found[1] and not found[2].endswith("ms")
    return found[0] if long else found[1] + wait(found[2])


def _reading(text: str) -> str:
    text = re.sub(rf"(reload_interval: )({_DURATION})", lambda found: found[1] + wait(found[2]), text)
    return re.sub(rf"(metric_expiration: )({_DURATION})", lambda found: found[1] + window(found[2]), text)


def _flags(text: str) -> str:
    text = re.sub(r"(?m)^startsecs=[0-9]+$", "startsecs=1", text)
    return re.sub(r"(?m)^(command=.*PROMETHEUS.*)$", rf"\1 {RESEND}", text)


_FILES: Mapping[str, Callable[[str], str]] = {
    "prometheus/rules/": _rules,
    alertmanager.NAME: _routes,
    collector.NAME: _reading,
    jaeger.NAME: _reading,
    supervisor.NAME: _flags,
}
"""Part of a path → what is done to the text."""
