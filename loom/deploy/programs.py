"""The programs of a deployment and their pinned versions: pure data, read by plan and toolchain alike."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """One upstream program, pinned."""

    name: str
    """Our name for it, also of its binary: `otelcol`."""
    version: str
    """As the program itself prints it: `0.161.0`."""
    image: str
    """Container image without tag: `prom/prometheus`; empty for command-line tools."""
    tag: str = ""
    """Image tag: `v3.16.0`."""
    digest: str = ""
    """`sha256:…` of the image in its registry, from a profile's lock file; empty when it is not pinned."""

    @property
    def tagged(self) -> str:
        """The image with its tag."""
        return f"{self.image}:{self.tag}"

    @property
    def reference(self) -> str:
        """The image with its tag, and its digest where that is pinned: as compose takes it."""
        return f"{self.tagged}@{self.digest}" if self.digest else self.tagged


OTELCOL = Program("otelcol", "0.161.0", "otel/opentelemetry-collector-contrib", "0.161.0")
PROMETHEUS = Program("prometheus", "3.16.0", "prom/prometheus", "v3.16.0")
PROMTOOL = Program("promtool", "3.16.0", "")
ALERTMANAGER = Program("alertmanager", "0.34.2", "prom/alertmanager", "v0.34.2")
AMTOOL = Program("amtool", "0.34.2", "")
JAEGER = Program("jaeger", "2.13.0", "jaegertracing/jaeger", "2.13.0")
GRAFANA = Program("grafana", "13.2.3", "grafana/grafana", "13.2.3")
"""Grafana can be had as an image only: the native engine does not run it, and says so."""
DOCKER_COMPOSE = Program("docker-compose", "2.40.3", "")
"""Compose v2 as a program of its own: its `config` needs neither a Docker Engine nor its client."""
LOOM = Program("loom", "0.1.0", "localhost/loom-runtime", "0.1.0")
"""The Loom runtime's image, ours: `images build` makes it. No registry serves `localhost/`, so nobody else's
image can be pulled in its place. The version is the package's own; a test compares them."""
REGISTRY = Program("registry", "0.22.1", "")
"""An image registry in memory, from google/go-containerregistry: what pinning by digest is tested against."""
CADDY = Program("caddy", "2.11.9", "caddy", "2.11.9")
"""The proxy in front of what cannot authenticate by itself: Jaeger."""
THANOS = Program("thanos", "0.42.5", "quay.io/thanos/thanos", "v0.42.5")
"""Long-term storage behind Prometheus: one program, a component by its first argument."""
TELEMETRYGEN = Program("telemetrygen", "0.161.0", "")
"""The collector project's own load generator: what benchmarks and drills send with."""
