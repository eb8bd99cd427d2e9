"""Names of collector components that are no longer what they were: data, by the version that changed them.

From the projects' own change logs; a name is deprecated from the first version on and gone with the second.
"""

from dataclasses import dataclass

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Renamed:
    """One name and what takes its place."""

    kind: str
    """Section of the configuration: `exporters`."""
    old: str
    new: str
    """What to write instead."""
    deprecated: Version
    removed: Version | None = None
    """None as long as the old name still works."""


RENAMED = (
    Renamed("exporters", "logging", "debug", (0, 86), (0, 111)),
    Renamed("exporters", "jaeger", "otlp_grpc (Jaeger takes OTLP on port 4317)", (0, 72), (0, 85)),
    Renamed("exporters", "otlp", "otlp_grpc", (0, 144)),
    Renamed("exporters", "otlphttp", "otlp_http", (0, 144)),
    Renamed("exporters", "loadbalancing", "load_balancing", (0, 153)),
    Renamed("exporters", "prometheusremotewrite", "prometheus_remote_write", (0, 156)),
    Renamed("connectors", "spanmetrics", "span_metrics", (0, 152)),
    Renamed("receivers", "filelog", "file_log", (0, 149)),
    Renamed("receivers", "hostmetrics", "host_metrics", (0, 159)),
    Renamed("processors", "resourcedetection", "resource_detection", (0, 159)),
    Renamed("processors", "k8sattributes", "k8s_attributes", (0, 159)),
    Renamed("processors", "batch", "sending_queue.batch in each exporter", (0, 160), (0, 166)),
)


@dataclass(frozen=True, slots=True)
class Use:
    """An old name in a configuration."""

    renamed: Renamed
    name: str
    """As it stands there: `logging/verbose`."""
    gone: bool
    """Whether the version in use no longer knows it."""

    @property
    def said(self) -> str:
        """`exporters.logging is gone since 0.111`."""
        since = self.renamed.removed if self.gone else self.renamed.deprecated
        version = ".".join(map(str, since or ()))
        return f"{self.renamed.kind}.{self.name} is {'gone' if self.gone else 'deprecated'} since {version}"

    @property
    def remedy(self) -> str:
        """`write debug for logging`."""
        return f"write {self.renamed.new} for {self.renamed.old}"


def version(text: str) -> Version:
    """`0.161.0` → (0, 161, 0); what is no number ends it."""
    parts: list[int] = []
    for part in text.removeprefix("v").split("."):
        if not part.isdecimal():
            break
        parts.append(int(part))
    return tuple(parts)


def uses(document: object, collector: Version) -> tuple[Use, ...]:
    """Every old name in a parsed configuration, as a collector of that version sees it."""
    sections = document if isinstance(document, dict) else {}
    return tuple(
        Use(renamed, str(name), gone=bool(renamed.removed and collector >= renamed.removed))
        for renamed in RENAMED
        for name in sections.get(renamed.kind) or ()
        if str(name).partition("/")[0] == renamed.old and collector >= renamed.deprecated
    )
