"""The dashboard of the event bus."""

from loom.contract import attributes as a
from loom.contract import spans
from loom.contract.metrics import event_bus as m
from loom.contract.promql import binary, ratio, zero_unless
from loom.deploy.artifacts.dashboards.limits import failures, more_than
from loom.deploy.artifacts.dashboards.model import Board, Row, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import Panels, lines

TITLE = "Loom Event Bus"


def board(panels: Panels, objective: float) -> Board:
    """Traffic, losses, saturation and latency of the event bus."""
    return Board(
        "loom-event-bus",
        TITLE,
        "Events published, delivered and dropped, how long a publish takes, and what waits in the queues.",
        (_traffic(panels), _losses(panels, objective), _saturation(panels), _latency(panels), _slow(panels)),
    )


def _traffic(panels: Panels) -> Row:
    flow = Text(
        "Events",
        "Events published, delivered and dropped per second. One event delivered to three subscribers counts "
        "three: delivered above published is fan-out, dropped above zero is loss.",
    )
    qos = Text(
        "Published by quality of service", "Realtime events may be dropped, the others wait for a slot."
    )
    topics = Text(
        "Busiest topics", "The ten topics with the most events over the shown range; ids are recorded as *."
    )
    return Row(
        "Traffic",
        (
            panels.rates(flow, published=m.PUBLISHED, delivered=m.DELIVERED, dropped=m.DROPPED),
            panels.rate(qos, m.PUBLISHED, a.QOS),
            panels.top(topics, m.PUBLISHED, a.TOPIC),
        ),
    )


def _losses(panels: Panels, objective: float) -> Row:
    # Either may be missing: nothing is ever dropped, or nobody ever listens.
    dropped = zero_unless(panels.queries.rate(m.DROPPED))
    delivered = zero_unless(panels.queries.rate(m.DELIVERED))
    share = Text(
        "Share of events dropped",
        "Dropped, of everything that was delivered or dropped. Red from the error budget on.",
    )
    reasons = Text(
        "Dropped by reason",
        "queue_full and backpressure: a subscriber is too slow. no_subscriber: nobody listens to the topic. "
        "expired: the event outlived its deadline. closed: published while the bus shut down.",
    )
    topics = Text("Topics that lose most", "The ten topics with the most drops over the shown range.")
    lost = Target(ratio(dropped, binary(delivered, "+", dropped)), "dropped")
    return Row(
        "Losses",
        (
            lines(share, Unit.RATIO, lost).limits(*failures(objective)),
            panels.rate(reasons, m.DROPPED, a.DROP_REASON).without("Nothing dropped"),
            panels.top(topics, m.DROPPED, a.TOPIC).without("Nothing dropped"),
        ),
    )


def _saturation(panels: Panels) -> Row:
    backlog = Text(
        "Backlog",
        "Events queued and not yet taken, over all topics. A level is normal; a slope means that subscribers "
        "are slower than publishers, and drops or waiting publishers follow.",
    )
    topics = Text("Largest backlogs", "The ten topics with the most waiting events now.")
    subscriptions = Text(
        "Active subscriptions",
        "Subscriptions by quality of service. A fall without a deployment means that subscribers died.",
    )
    return Row(
        "Saturation",
        (
            panels.level(backlog, m.BACKLOG),
            panels.highest(topics, m.BACKLOG, a.TOPIC).limits(*more_than(100, 1000)),
            panels.level(subscriptions, m.ACTIVE_SUBSCRIPTIONS, a.QOS),
        ),
    )


def _latency(panels: Panels) -> Row:
    quantiles = Text(
        "Publish latency",
        "Duration of a whole publish, waiting for a slot included. Points are sampled traces: click one to "
        "open it in Jaeger.",
    )
    spread = Text(
        "Publish latency, all publishes",
        "Darker means more publishes of that duration. Two bands: some publishes wait for a slot.",
    )
    return Row(
        "Latency",
        (panels.quantiles(quantiles, m.PUBLISH_LATENCY).wide(12), panels.spread(spread, m.PUBLISH_LATENCY)),
    )


def _slow(panels: Panels) -> Row:
    service = Text(
        "p99 publish latency by service", "Click a line to see the service's publish spans in Jaeger."
    )
    topics = Text("p99 publish latency, slowest topics", "The ten slowest topics at each moment.")
    qos = Text("Mean publish latency by quality of service", "Batched and background publishes may wait.")
    return Row(
        "Where it is slow",
        (
            panels.traced(service, m.PUBLISH_LATENCY, spans.event_bus.PUBLISH),
            panels.slowest(topics, m.PUBLISH_LATENCY, a.TOPIC),
            panels.mean(qos, m.PUBLISH_LATENCY, a.QOS),
        ),
    )
