"""Why events are dropped: the contract's closed set, by name."""

from loom.contract import attributes as a

QUEUE_FULL, BACKPRESSURE, NO_SUBSCRIBER, EXPIRED, CLOSED = a.DROP_REASON.values
