"""Certificates replaced under load, then the authority itself: no export fails, no caller is turned away."""

import re
import ssl
from collections.abc import Callable
from functools import partial

import pytest
from cryptography import x509

from loom.deploy.artifacts import collector, jaeger
from loom.deploy.artifacts.place import below
from loom.deploy.credentials.succession import Step
from loom.deploy.engine.processes import free
from loom.deploy.plan.model import Service, Site
from loom.deploy.verify.intrusion.attempt import doors
from tests.fire.stack import LONG, Stack, hold
from tests.fire.table import Fault, Page
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.timeout(1200)]

OTHER = "metrics.retention.time=29d"
"""What only Prometheus starts anew for."""


def hurried(stack: Stack) -> None:
    """Let collector and Jaeger look at their files every second, in this rendering only: a minute is long."""
    for service, name in ((Service.COLLECTOR, collector.NAME), (Service.JAEGER, jaeger.NAME)):
        file = stack.home.rendered / below(Site.NATIVE, name)
        text, count = re.subn(r"reload_interval: \w+", "reload_interval: 1s", file.read_text())
        assert count
        file.write_text(text)
        stack.kill(service)
    stack.wait()


def shown(stack: Stack) -> dict[str, x509.Certificate]:
    """Port → the certificate that it shows to a new connection."""
    ports = {
        door.name: door.port.native
        for door in doors(stack.plan)
        if not door.bare and not free(door.port.native)
    }
    return {
        name: x509.load_pem_x509_certificate(
            ssl.get_server_certificate(("127.0.0.1", port), timeout=5).encode()
        )
        for name, port in ports.items()
    }


def renewed(stack: Stack, before: dict[str, int]) -> bool:
    """Whether every port shows another certificate than the one of that serial number."""
    return all(one.serial_number != before[name] for name, one in shown(stack).items())


def test_no_export_fails_while_certificates_and_then_the_authority_are_replaced(
    stacks: Callable[..., Stack], page: Page
) -> None:
    stack = stacks("fire-rotation")
    stack.up()
    if not LONG:
        hurried(stack)
    first = shown(stack)
    assert len(first) > 8
    with stack.sending("fire-rotation", OTEL_METRIC_EXPORT_INTERVAL="500") as sending:
        # Another rendering takes the place of the one that they were started from; they must not mind.
        stack.sets += (OTHER,)
        stack.must("up", *stack.which, "--engine", "native")
        for _ in range(2):
            before = {name: one.serial_number for name, one in shown(stack).items()}
            stack.must("certs", "rotate", *stack.which)
            until(partial(renewed, stack, before))
            hold(2)
        stack.must("certs", "rotate", *stack.which, "--authority", Step.TRUST)
        stack.wait()
        stack.must("certs", "rotate", *stack.which, "--authority", Step.ISSUE)
        until(lambda: all(one.issuer != first[name].issuer for name, one in shown(stack).items()))
        hold(2 if not LONG else 60)  # what they call others with is read again as late as that
        stack.must("certs", "rotate", *stack.which, "--authority", Step.DROP)
        hold(2 if not LONG else 60)
        sent = sending.done()
        stored = stack.settled(sending, sent)
    assert (sent.counted, sent.refused, sent.unsent) == (0, frozenset(), ())
    assert stored == sent.acknowledged
    done = stack.run("verify", "--name", stack.name, "--edges")
    assert done.returncode == 0, done.stdout
    verdict = (
        "no export failed; new certificates on every port; every caller of the graph let in, nobody else"
    )
    page.tell(
        Fault(
            "certificates renewed twice, then the authority replaced",
            round(sending.lasted),
            *sent.numbers(len(stored)),
            verdict,
        )
    )
