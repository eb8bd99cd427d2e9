"""Where the events of one topic are counted, and under which label: what an envelope carries of its route."""

from loom.runtime.bus_metrics import TopicCounts


class Account:
    """The bus's own; one for all topics that have the label."""

    __slots__ = ("counts", "label")

    def __init__(self, label: str, counts: TopicCounts) -> None:
        """`label` is the topic with ids as `*`."""
        self.label = label
        self.counts = counts
