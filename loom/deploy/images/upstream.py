"""What the upstream images look like from outside: entry point, user, ports, volumes. Facts, not choices.

Read in the projects' own image files: opentelemetry-collector-releases `distributions/otelcol-contrib`,
jaeger `cmd/jaeger`, prometheus, alertmanager and thanos at their top, caddy-docker `2.11/alpine`. Upstream's
busybox, samples of configuration, consoles and user interfaces are not there: nothing that loom-deploy
renders needs them.

One fact a stand-in cannot have: upstream's Caddy carries the file capability cap_net_bind_service, so that it
starts under `cap_drop: [ALL]` only where `cap_add: [NET_BIND_SERVICE]` gives that one back.
"""

from loom.deploy.images.model import Standin
from loom.deploy.programs import ALERTMANAGER, AMTOOL, CADDY, JAEGER, OTELCOL, PROMETHEUS, PROMTOOL, THANOS

_NOBODY = "65534:65534"

STANDINS = {
    standin.program.name: standin
    for standin in (
        Standin(
            OTELCOL,
            ((OTELCOL, "/otelcol-contrib"),),
            user="10001:10001",
            ports=(4317, 4318, 55679),
            arguments=("--config", "/etc/otelcol-contrib/config.yaml"),
            shared=(),
        ),
        Standin(
            JAEGER,
            ((JAEGER, "/cmd/jaeger/jaeger-linux"),),
            user="10001",
            ports=(5778, 5779, 4317, 4318, 14268, 14250, 9411, 16686, 13132, 13133),
            volumes=("/tmp",),  # noqa: S108 - upstream's image declares it
            environment=(("JAEGER_LISTEN_HOST", "0.0.0.0"),),  # noqa: S104 - the same
        ),
        Standin(
            PROMETHEUS,
            ((PROMETHEUS, "/bin/prometheus"), (PROMTOOL, "/bin/promtool")),
            user="nobody",
            ports=(9090,),
            arguments=("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
            home="/prometheus",
            owner=_NOBODY,
            volumes=("/prometheus",),
        ),
        Standin(
            ALERTMANAGER,
            ((ALERTMANAGER, "/bin/alertmanager"), (AMTOOL, "/bin/amtool")),
            user="nobody",
            ports=(9093,),
            arguments=("--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"),
            home="/alertmanager",
            owner=_NOBODY,
            volumes=("/alertmanager",),
        ),
        Standin(
            CADDY,
            ((CADDY, "/usr/bin/caddy"),),
            user="",
            ports=(80, 443, "443/udp", 2019),
            arguments=("caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"),
            entered=False,
            home="/srv",
            owner="0:0",
            environment=(("XDG_CONFIG_HOME", "/config"), ("XDG_DATA_HOME", "/data")),
            shared=("/tmp", "/config/caddy", "/data/caddy"),  # noqa: S108 - upstream's image has them
        ),
        Standin(THANOS, ((THANOS, "/bin/thanos"),), user="1001"),
    )
}
"""Program name → its stand-in."""
