"""Runbooks of metrics that leave this Prometheus: stores elsewhere, long-term storage."""

from loom.contract import foreign as f
from loom.contract.resource import INSTANCE, JOB
from loom.deploy.artifacts.runbooks.runbook import Runbook
from loom.deploy.plan.model import Service

_BY = "remote_name"

BOOK = {
    "RemoteWriteRefused": Runbook(
        "A store answers that it will not have some samples, whatever is done.",
        "It never gets them: such an answer is final. Prometheus itself has them until its retention ends.",
        "The answer stands in Prometheus' log: mostly samples that are too old for the store, a limit of"
        " the tenant, or a version of the protocol that it does not speak"
        " (`metrics.remote_write[].version`).",
        lambda ask: (
            ask.foreign("samples that are refused", f.REMOTE_SAMPLES_FAILED, _BY),
            ask.foreign("exemplars that are refused", f.REMOTE_EXEMPLARS_FAILED, _BY),
            ask.log(Service.PROMETHEUS),
        ),
    ),
    "RemoteWriteBehind": Runbook(
        "A store has not had the newest samples for twenty minutes: it is away, refuses us, or is too slow.",
        "None yet: they wait in the write-ahead log, which holds about two hours. What is older is not sent.",
        "The log says what the store answers. A password or certificate that ended:"
        " replace the file in `secrets/prometheus/`, it is read again by itself. When the store is back the"
        " backlog is worked off in about a tenth of the time it took to grow.",
        lambda ask: (
            ask.foreign("samples that wait", f.REMOTE_SAMPLES_PENDING),
            ask.foreign("samples that were sent again", f.REMOTE_SAMPLES_RETRIED, _BY),
            ask.log(Service.PROMETHEUS),
        ),
    ),
    "RemoteWriteTooSlow": Runbook(
        "To keep up, Prometheus would need more requests at once to a store than it may make.",
        "The store falls behind; see [RemoteWriteBehind](./RemoteWriteBehind.md).",
        "If the store answers slowly, that is the cause. If there is more than was planned, write it into"
        " `workload` of the profile: the queue is sized from it; or send less (`series: recorded`, `drop`).",
        lambda ask: (
            ask.foreign("requests at once", f.REMOTE_SHARDS),
            ask.foreign("samples that come in", f.SAMPLES_APPENDED, "type"),
            ask.foreign("samples that wait", f.REMOTE_SAMPLES_PENDING),
        ),
    ),
    "ThanosUploadsFailing": Runbook(
        "The sidecar cannot put blocks into the object storage.",
        "None yet: Prometheus keeps each block until its own retention ends. What is not uploaded by then"
        " is gone.",
        "The log says why: mostly credentials in `objstore`, a full disk, or a bucket that is away. It"
        " tries again by itself.",
        lambda ask: (
            ask.foreign("what fails", f.BUCKET_FAILURES, "operation"),
            ask.foreign("when a block was uploaded last", f.BLOCK_UPLOADED),
            ask.log(Service.THANOS_SIDECAR),
            ask.shell("room on the disks", "df -h"),
        ),
    ),
    "ThanosBlocksLate": Runbook(
        "There is a block every two hours, and none was uploaded for eight.",
        "As for [ThanosUploadsFailing](./ThanosUploadsFailing.md): the time until Prometheus' own retention"
        " ends is all there is.",
        "Is the sidecar running, and does it see Prometheus' volume? Then as for"
        " [ThanosUploadsFailing](./ThanosUploadsFailing.md).",
        lambda ask: (
            ask.foreign("uploads that failed", f.UPLOAD_FAILURES, JOB, INSTANCE),
            ask.foreign("who is down", f.UP),
            ask.log(Service.THANOS_SIDECAR),
        ),
    ),
    "ThanosStorageFailing": Runbook(
        "Reading the object storage, or tidying it up, fails again and again.",
        "Queries about what Prometheus no longer has fail or are incomplete; blocks are not compacted.",
        "The log says why: credentials in `objstore`, a limit of the provider, a network that is away.",
        lambda ask: (
            ask.foreign("what fails, and for whom", f.BUCKET_FAILURES, JOB, "operation"),
            ask.log(Service.THANOS_STORE),
            ask.log(Service.THANOS_COMPACTOR),
        ),
    ),
    "ThanosCompactorHalted": Runbook(
        "The compactor found blocks that overlap or are damaged, and stopped rather than harm them.",
        "Nothing is compacted, thinned out or deleted: the storage grows, and long queries become slow.",
        "Its log names the blocks. Move them out of the storage, or mark them"
        " (`thanos tools bucket mark`), then start it again. Two compactors on one storage make such"
        " blocks: there must be one only.",
        lambda ask: (
            ask.log(Service.THANOS_COMPACTOR),
            ask.foreign("when a block was uploaded last", f.BLOCK_UPLOADED),
            ask.shell("room on the disks", "df -h"),
        ),
    ),
}
