"""The canary on the real programs, over mutual TLS, with a token and a password."""

import base64
import datetime as dt
import json
import os
import ssl
import sys
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest

from loom.contract import canary, environment
from loom.contract.promql import select

PASSWORD, TOKEN = "hunter2-password", "hunter3-token"
ROOMY = 80 * 1024 * 1024
IDENTITIES = ("own", "collector", "prometheus", "jaeger", "exporter")
LATER = dt.timedelta(days=1, hours=1)
Settled = Callable[[Callable[[], bool]], bool]


def environ(stack: Any) -> dict[str, str]:  # noqa: ANN401 - the fixture's class has no importable name
    home = stack.home("canary")
    return {
        **os.environ,
        environment.ENDPOINT.name: f"https://localhost:{stack.ports['otlp']}",
        environment.CERTIFICATE.name: str(home / "ca.pem"),
        environment.CLIENT_CERTIFICATE.name: str(home / "cert.pem"),
        environment.CLIENT_KEY.name: str(home / "key.pem"),
        environment.TOKEN_FILE.name: str(home / "token"),
        environment.TIMEOUT.name: "1",
        environment.SAMPLER.name: "always_off",
        canary.INTERVAL.name: "1",
        canary.PATIENCE.name: "3",
        canary.PROMETHEUS.name: f"https://localhost:{stack.ports['prometheus']}",
        canary.JAEGER.name: f"https://localhost:{stack.ports['query']}",
        canary.CREDENTIALS.name: str(home),
        canary.WATCH.name: f"localhost:{stack.ports['exporter']}=exporter",
    }


def of(exported: dict[str, float], series: Any, **labels: str) -> float:  # noqa: ANN401 - a Series
    pairs = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return exported.get(f"{series.name}{{{pairs}}}", -1.0)


def arrived(stack: Any, signal: str) -> bool:  # noqa: ANN401 - as above
    return of(stack.exported(), canary.LAST_SUCCESS, signal=signal) > 0


def quick(stack: Any, signal: str) -> bool:  # noqa: ANN401 - as above
    """Whether a round took less than the interval between two."""
    return 0 < of(stack.exported(), canary.ROUND_TRIP, signal=signal) < 3


def grows(stack: Any, settled: Settled, series: Any, **labels: str) -> bool:  # noqa: ANN401 - as above
    before = of(stack.exported(), series, **labels)
    return settled(lambda: of(stack.exported(), series, **labels) > before)


def ends_later(stack: Any, settled: Settled, identity: str, before: float) -> bool:  # noqa: ANN401 - as above
    return settled(lambda: of(stack.exported(), canary.CERTIFICATE_EXPIRY, identity=identity) > before)


def scraped(stack: Any) -> list[Any]:  # noqa: ANN401 - as above
    """What Prometheus knows of the canary's own port."""
    question = urlencode({"query": str(select(canary.LAST_SUCCESS))})
    authorization = base64.b64encode(f"{canary.USER}:{PASSWORD}".encode()).decode()
    answer = stack.fetch(
        "prometheus",
        f"/api/v1/query?{question}",
        stack.context("canary"),
        Authorization=f"Basic {authorization}",
    )
    return list(json.loads(answer)["data"]["result"])


@pytest.mark.smoke
@pytest.mark.slow
def test_what_arrives_is_found_and_what_does_not_is_told(
    stack: Any,  # noqa: ANN401 - as above
    settled: Settled,
) -> None:
    command = [sys.executable, "-m", "loom.canary", "--listen", f"127.0.0.1:{stack.ports['canary']}"]
    stack.run("canary", command, environ(stack))

    # Both signals arrive, again and again, whatever sampler the environment names.
    for signal in canary.SIGNALS:
        assert settled(partial(arrived, stack, signal)), stack.log("canary")
        assert grows(stack, settled, canary.LAST_SUCCESS, signal=signal)
        assert settled(partial(quick, stack, signal))

    # Certificates: its own and those of every port, as they are.
    def expiries() -> dict[str, float]:
        shown = stack.exported()
        return {one: of(shown, canary.CERTIFICATE_EXPIRY, identity=one) for one in IDENTITIES}

    assert settled(lambda: min(expiries().values()) >= 0), expiries()
    ends = expiries()

    # Nobody without a certificate of the authority is told anything; Prometheus is.
    with pytest.raises(OSError, match=r"certificate required|reset|closed|EOF|Broken"):
        stack.fetch("canary", "/metrics", ssl.create_default_context(cafile=stack.home("canary") / "ca.pem"))
    assert settled(lambda: bool(scraped(stack)))

    # A rotation: shown by its own port, and seen at the others.
    stack.issuer.issue("canary", ends_in=LATER)
    stack.issuer.issue("collector", ends_in=LATER)
    for identity in ("own", "collector"):
        assert ends_later(stack, settled, identity, ends[identity])
    assert grows(stack, settled, canary.LAST_SUCCESS, signal="traces")

    # Jaeger is away: traces are not found, metrics go on arriving.
    stack.stop("jaeger")
    assert of(stack.exported(), canary.PORT_OPEN, identity="exporter") == 1
    assert settled(lambda: of(stack.exported(), canary.PORT_OPEN, identity="jaeger") == 0)
    assert grows(stack, settled, canary.FAILURES, signal="traces", stage=canary.LOOKUP)
    assert grows(stack, settled, canary.LAST_SUCCESS, signal="metrics")
    # The collector is away: nothing can be sent; the canary lives.
    stack.stop("otelcol")
    for signal in canary.SIGNALS:
        assert grows(stack, settled, canary.FAILURES, signal=signal, stage=canary.SEND)

    process = psutil.Process(stack.running["canary"].pid)
    assert process.memory_info().rss < ROOMY
    process.terminate()
    assert stack.running["canary"].wait(60) == 0
    # Looking at certificates leaves no error in anybody's log.
    assert "preface" not in stack.log("otelcol") + stack.log("prometheus")
    assert "hunter" not in stack.log("canary") + stack.log("otelcol") + stack.log("prometheus")
