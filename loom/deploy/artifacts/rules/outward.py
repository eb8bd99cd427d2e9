"""Alerts on metrics that leave this Prometheus: to stores elsewhere, and as blocks to long-term storage."""

from loom.contract import foreign as f
from loom.contract.promql import above, aggregate, binary, both, now, scalar, select
from loom.contract.resource import INSTANCE, JOB
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, held
from loom.deploy.artifacts.rules.question import whose
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import STATED, Level
from loom.deploy.artifacts.rules.trouble import Trouble
from loom.deploy.plan.longterm import BLOCK_SECONDS
from loom.deploy.plan.model import Plan

BEHIND = 1200
"""Seconds that a store may lack: a sixth of what the write-ahead log surely holds."""
LATE_BLOCKS = 4
"""Blocks' lengths since the last upload: one is being filled, one is being compacted, one may be late."""
_STORE = {"remote_name": "archive", "url": "https://archive.example.org/api/v1/write"}
_SIDECAR = {JOB: f.JOB_THANOS_SIDECAR}
_READERS = (f.JOB_THANOS_STORE, f.JOB_THANOS_COMPACTOR)
_BY = (JOB, INSTANCE)


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """Those on stores where Prometheus writes to some, those on blocks where Thanos keeps them."""
    metrics = plan.profile.metrics
    stores = (_REFUSED.alert(), _behind(), _short_of_shards()) if metrics.remote_write else ()
    blocks = (_UPLOADS.alert(), _late(), _BUCKET.alert(), _halted()) if metrics.longterm.thanos else ()
    return (*stores, *blocks)


_REFUSED = Trouble(
    "RemoteWriteRefused",
    (f.REMOTE_SAMPLES_FAILED,),
    (f.JOB_PROMETHEUS,),
    "10m",
    "10m",
    Severity.WARNING,
    "{{ $labels.remote_name }} refuses samples",
    "{{ $value | humanize }} samples were refused for good in ten minutes: they are never sent again.",
    {"remote_name": "archive"},
)
_UPLOADS = Trouble(
    "ThanosUploadsFailing",
    (f.UPLOAD_FAILURES,),
    (f.JOB_THANOS_SIDECAR,),
    "10m",
    "10m",
    Severity.WARNING,
    "Blocks cannot be uploaded",
    "{{ $value | humanize }} uploads failed in ten minutes; Prometheus keeps blocks only so long.",
)
_BUCKET = Trouble(
    "ThanosStorageFailing",
    (f.BUCKET_FAILURES,),
    _READERS,
    "10m",
    "10m",
    Severity.WARNING,
    "The object storage fails for {{ $labels.job }}",
    "{{ $value | humanize }} times {{ $labels.operation }} failed in ten minutes.",
    {"operation": "get"},
)


def _behind() -> Alert:
    by = (JOB, INSTANCE, "remote_name")
    lacking = binary(now(), "-", aggregate("max", select(f.REMOTE_SENT), by=by))
    # A store that gets recorded series only may have nothing to get; then nothing waits either.
    waiting = aggregate("sum", select(f.REMOTE_SAMPLES_PENDING), by=by)
    return Alert(
        "RemoteWriteBehind",
        both(above(lacking, BEHIND), above(waiting, 0)),
        "5m",
        Severity.CRITICAL,
        f.JOB_PROMETHEUS,
        "{{ $labels.remote_name }} lacks the newest samples",
        "It lacks {{ $value | humanizeDuration }}. The write-ahead log holds about two hours: what is older"
        " than that it never gets.",
        Proof(
            (
                _sending(Kind.FIRES, "it is away for a while", 12, 1.0),
                _sending(Kind.QUIET, "it is away for a moment", 1, 1.0),
                _sending(Kind.QUIET, "there is nothing to send", 12, 0.0),
            ),
            STATED,
        ),
    )


def _sending(kind: Kind, about: str, more: int, pending: float) -> Scene:
    """Nothing is sent for as long as is allowed and some minutes more."""
    sent = _stopping(10, BEHIND // 60 + more)
    waiting = held((pending, len(sent)))
    inputs = (
        Input(f.REMOTE_SENT, sent, {JOB: f.JOB_PROMETHEUS, **_STORE}),
        Input(f.REMOTE_SAMPLES_PENDING, waiting, {JOB: f.JOB_PROMETHEUS, **_STORE}),
    )

    def truth(minute: int) -> bool:
        return minute * 60 - sent.at(minute) > BEHIND and pending > 0

    # Also at the last minute of the pause, where nothing fires.
    return play(kind, about, inputs, Stage(truth, 5, len(sent) - 1), len(sent) - _AFTER - 2)


_AFTER = 5
"""Minutes that go on as they should, once a pause is over."""


def _stopping(stop: int, lasting: int) -> Course:
    """A time, in seconds since the beginning, that stands still for some minutes and goes on as time does."""
    last = stop + lasting + _AFTER
    return Course(
        tuple(60.0 * (stop if stop <= minute < stop + lasting else minute) for minute in range(last + 1))
    )


def _short_of_shards() -> Alert:
    most = 10.0

    def shards(desired: Course) -> tuple[Input, ...]:
        labels = {JOB: f.JOB_PROMETHEUS, **_STORE}
        return (
            Input(f.REMOTE_SHARDS_DESIRED, desired, labels),
            Input(f.REMOTE_SHARDS_MAX, held((most, len(desired))), labels),
        )

    return Alert(
        "RemoteWriteTooSlow",
        binary(select(f.REMOTE_SHARDS_DESIRED), ">", select(f.REMOTE_SHARDS_MAX)),
        "15m",
        Severity.WARNING,
        f.JOB_PROMETHEUS,
        "{{ $labels.remote_name }} takes samples more slowly than they come",
        "{{ $value | humanize }} requests at once would be needed, more than there may be.",
        Level(2.0, most + 1, most, "15m", shards).proof(),
    )


def _late() -> Alert:
    limit = LATE_BLOCKS * BLOCK_SECONDS
    # 0 until the sidecar has uploaded something since its start.
    newest = aggregate("max", select(f.BLOCK_UPLOADED, (whose((f.JOB_THANOS_SIDECAR,)),)), by=_BY)
    uploaded = binary(newest, "!=", scalar(0))
    return Alert(
        "ThanosBlocksLate",
        above(binary(now(), "-", uploaded), limit),
        "10m",
        Severity.CRITICAL,
        f.JOB_THANOS_SIDECAR,
        "No new block arrives in long-term storage",
        "The newest upload was {{ $value | humanizeDuration }} ago, where there is one every two hours:"
        " what Prometheus' own retention ends is gone.",
        Proof(
            (
                _uploading(Kind.FIRES, "uploads stop, and go on", 20),
                _uploading(Kind.QUIET, "an upload is late", 5),
                _not_yet(limit),
            ),
            STATED,
        ),
    )


def _uploading(kind: Kind, about: str, more: int) -> Scene:
    limit = LATE_BLOCKS * BLOCK_SECONDS
    uploaded = _stopping(10, limit // 60 + more)
    # The compactor uploads as well; it may have nothing to do for a day.
    other = held((60.0, len(uploaded)))
    inputs = (
        Input(f.BLOCK_UPLOADED, uploaded, {**_SIDECAR, "bucket": "objects"}),
        Input(f.BLOCK_UPLOADED, other, {JOB: f.JOB_THANOS_COMPACTOR, "bucket": "objects"}),
    )
    return play(
        kind,
        about,
        inputs,
        Stage(lambda minute: minute * 60 - uploaded.at(minute) > limit, 10, len(uploaded) - 1),
    )


def _not_yet(limit: int) -> Scene:
    """It was started, and the first block is not full yet."""
    last = limit // 60 + 30
    inputs = (Input(f.BLOCK_UPLOADED, held((0.0, last + 1)), {**_SIDECAR, "bucket": "objects"}),)
    return play(Kind.QUIET, "there is no block yet", inputs, Stage(lambda _: False, 10, last))


def _halted() -> Alert:
    return Alert(
        "ThanosCompactorHalted",
        binary(select(f.COMPACTOR_HALTED), "==", scalar(1)),
        "5m",
        Severity.WARNING,
        f.JOB_THANOS_COMPACTOR,
        "The compactor has halted",
        "It met blocks that it dares not touch: until somebody looks, nothing is compacted or deleted.",
        Level(0.0, 1.0, 0.0, "5m", _compactor).proof(),
    )


def _compactor(course: Course) -> tuple[Input, ...]:
    return (Input(f.COMPACTOR_HALTED, course, {JOB: f.JOB_THANOS_COMPACTOR}),)
