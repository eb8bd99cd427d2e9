"""What tests of the embedded room share: arrivals made by hand, a page that is served, and a real browser."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from loom.contract import metrics, resource, spans
from loom.contract.coverage import RARE, TROUBLE, reachable
from loom.contract.metric import Kind, Metric
from loom.contract.span import Span
from loom.deploy.embedded.live import Live
from loom.deploy.embedded.page import About, application
from loom.receiver.arrival import (
    CUMULATIVE,
    Identity,
    MetricArrival,
    Origin,
    Point,
    Shape,
    SpanArrival,
    Value,
)
from loom.receiver.web import WebServer, bind

SECONDS = 240.0
SHAPES = {
    Kind.COUNTER: Shape.SUM,
    Kind.UP_DOWN_COUNTER: Shape.SUM,
    Kind.GAUGE: Shape.GAUGE,
    Kind.OBSERVABLE_GAUGE: Shape.GAUGE,
    Kind.HISTOGRAM: Shape.HISTOGRAM,
}
VALUES: dict[str, Value] = {"string": "x", "int": 1, "double": 0.5, "boolean": True}


class Arrivals:
    """Makes what arrives, by hand: as the contract wants it, but for what is said otherwise."""

    def origin(self, instance: str = "one", service: str = "agents") -> Origin:
        """A process."""
        attributes: dict[str, Value] = {attribute.name: "x" for attribute in resource.ALL}
        attributes |= {resource.SERVICE_NAME.name: service, resource.SERVICE_INSTANCE_ID.name: instance}
        return Origin(attributes, Identity(service, instance))

    def point(self, metric: Metric, value: float = 1.0, time: int = 1, **changed: Any) -> Point:  # noqa: ANN401 - any value
        """A point; `changed` are attributes."""
        named: dict[str, Value] = {
            attribute.name: attribute.values[0] if attribute.values else "x"
            for attribute in metric.attributes
        }
        attributes = named | changed
        if metric.kind is not Kind.HISTOGRAM:
            return Point(attributes, value, 1, time)
        counts = (int(value), *(0 for _ in metric.boundaries))
        return Point(attributes, value, 1, time, value / 2, metric.boundaries, counts)

    def metric(self, metric: Metric, *points: Point, **changed: Any) -> MetricArrival:  # noqa: ANN401 - any field
        """A metric; `changed` are fields."""
        healthy = 0.0 if metric in TROUBLE else 1.0
        fields: dict[str, Any] = {
            "origin": self.origin(),
            "scope": metric.scope,
            "name": metric.name,
            "unit": metric.unit,
            "shape": SHAPES[metric.kind],
            "points": points or (self.point(metric, healthy),),
            "monotonic": metric.kind is Kind.COUNTER,
            "temporality": "" if SHAPES[metric.kind] is Shape.GAUGE else CUMULATIVE,
        }
        return MetricArrival(**{**fields, **changed})

    def span(self, span: Span, number: int, parent: int = 0, **changed: Any) -> SpanArrival:  # noqa: ANN401 - any field
        """A span; `number` makes its id, `changed` are fields."""
        start = 1_000_000_000 + number * 1_000_000
        fields: dict[str, Any] = {
            "origin": self.origin(),
            "scope": span.scope,
            "operation": f"{span.name} x" if span.suffix else span.name,
            "kind": span.kind,
            "trace_id": f"{1:032x}",
            "span_id": f"{number:016x}",
            "parent_id": f"{parent:016x}" if parent else "",
            "start": start,
            "end": start + 5_000_000,
            "status": "OK",
            "attributes": {
                attribute.name: attribute.values[0] if attribute.values else VALUES[attribute.type]
                for attribute in span.attributes
            },
        }
        return SpanArrival(**{**fields, **changed})

    def whole_contract(self) -> list[MetricArrival | SpanArrival]:
        """Every metric with every value that a healthy run shows, every span below a parent it may have."""
        arrivals: list[MetricArrival | SpanArrival] = []
        for metric in metrics.ALL:
            if metric in RARE:
                continue
            values = [reachable(attribute) or attribute.values or ("x",) for attribute in metric.attributes]
            longest = max(map(len, values), default=1)
            names = [attribute.name for attribute in metric.attributes]
            for index in range(longest):
                named: dict[str, Any] = {
                    name: each[index % len(each)] for name, each in zip(names, values, strict=True)
                }
                healthy = 0.0 if metric in TROUBLE else 1.0
                arrivals.append(self.metric(metric, self.point(metric, healthy, **named)))
        numbers = {span.key: number for number, span in enumerate(spans.ALL, 1)}
        for span in spans.ALL:
            parent = numbers[span.parents[0]] if span.parents else 0
            arrivals.append(self.span(span, numbers[span.key], parent))
        return arrivals


@pytest.fixture(scope="session")
def make() -> Arrivals:
    return Arrivals()


@dataclass
class Page:
    """A page that is served, and the inspection behind it."""

    url: str
    live: Live
    server: WebServer

    def close(self) -> None:
        """Serve it no more; again is no error."""
        self.live.closed = True
        self.server.close()


@pytest.fixture
def page() -> Iterator[Page]:
    live = Live()
    about = About("dev", "http://127.0.0.1:4317", "http://127.0.0.1:4318")
    server = WebServer(application(live, about), bind("127.0.0.1", 0))
    one = Page(f"http://127.0.0.1:{server.port}/", live, server)
    yield one
    one.close()


@dataclass
class Browser:
    """Headless Chromium, spoken to over a pipe in its own protocol; one tab."""

    process: "subprocess.Popen[bytes]"
    orders: int
    answers: int
    session: str = ""
    count: int = 0
    rest: bytes = b""
    console: list[str] = field(default_factory=list)
    """What the page complained about: errors, and what its security policy refused."""

    def order(self, method: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - the protocol's JSON
        """Send an order, and wait for its answer."""
        self.count += 1
        message: dict[str, Any] = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.orders, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.count:
            self._listen(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def evaluate(self, script: str) -> Any:  # noqa: ANN401 - whatever the script gives
        """The value of an expression in the page; promises are awaited."""
        found = self.order("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def visit(self, url: str, scheme: str = "light", size: tuple[int, int] = (1440, 900)) -> None:
        """Open a page."""
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        self.order("Emulation.setEmulatedMedia", features=media)
        width, height = size
        self.order(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.order("Page.navigate", url=url)

    def wait(self, condition: str) -> None:
        """Until an expression is true; the page itself looks after each of its frames."""
        script = f"""new Promise((resolve, reject) => {{
            const end = performance.now() + {SECONDS * 1000};
            const look = () => {{
                let met = false;
                try {{ met = Boolean({condition}); }} catch {{ met = false; }}
                if (met) resolve(true);
                else if (performance.now() > end) reject(new Error(document.body.innerText));
                else setTimeout(look, 20);
            }};
            look();
        }})"""
        assert self.evaluate(script) is True, condition

    def picture(self) -> bytes:
        """A PNG of what is seen."""
        return base64.b64decode(self.order("Page.captureScreenshot", format="png")["data"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            part = os.read(self.answers, 1 << 16)
            assert part, "the browser has gone"
            self.rest += part
        one, _, self.rest = self.rest.partition(b"\0")
        message: dict[str, Any] = json.loads(one)
        return message

    def _listen(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Log.entryAdded":
            self.console.append(message["params"]["entry"]["text"])
        if message.get("method") == "Runtime.exceptionThrown":
            self.console.append(json.dumps(message["params"]["exceptionDetails"]))


def found_chromium() -> str:
    """Where Chromium is; tests that need it fail without it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("Chromium is missing: apt-get install -y chromium")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a run: starting it takes longer than using it."""
    profile = tempfile.mkdtemp(prefix="chromium-")
    (theirs, orders), (answers, ours) = os.pipe(), os.pipe()
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
    command = [found_chromium(), *flags, "--remote-debugging-pipe", f"--user-data-dir={profile}"]

    def place() -> None:
        # The protocol's pipes are the descriptors 3 and 4; out of the way first, they could be each other's.
        high = os.dup(theirs), os.dup(ours)
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    with subprocess.Popen(
        [*command, "about:blank"],
        stderr=subprocess.DEVNULL,
        pass_fds=(3, 4),
        preexec_fn=place,  # noqa: PLW1509 - no threads of ours matter between fork and exec here
    ) as process:
        os.close(theirs)
        os.close(ours)
        browser = Browser(process, orders, answers)
        pages = browser.order("Target.getTargets")["targetInfos"]
        tab = next(each["targetId"] for each in pages if each["type"] == "page")
        browser.session = browser.order("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            browser.order(f"{domain}.enable")
        yield browser
        browser.session = ""
        browser.order("Browser.close")
        process.wait(SECONDS)
        os.close(orders)
        os.close(answers)
    shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser, with nothing to complain about yet; it leaves the page while there is still a server."""
    chromium.console.clear()
    yield chromium
    chromium.order("Page.navigate", url="about:blank")
    chromium.console.clear()
