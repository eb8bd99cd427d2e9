"""supervisord's configuration: the native engine runs the same programs without containers.

The text holds no path of a machine. The engine sets, in supervisord's environment: `LOOM_RUN` (sockets, pids,
logs), `LOOM_DATA` (what must survive) and a path for each program: `LOOM_OTELCOL`, `LOOM_JAEGER`,
`LOOM_PROMETHEUS`, `LOOM_ALERTMANAGER`.
"""

from dataclasses import dataclass

from loom.contract.environment import ENVIRONMENT
from loom.deploy import programs
from loom.deploy.artifacts import (
    alertmanager,
    balancer,
    canary,
    collector,
    jaeger,
    prometheus,
    protection,
    proxy,
    thanos,
)
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.place import below
from loom.deploy.artifacts.template import fill
from loom.deploy.plan import topology
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Plan, Purpose, Service, Site

NAME = "supervisord.conf"
RUN, DATA = "LOOM_RUN", "LOOM_DATA"
"""Environment variables of supervisord: folders for run-time files and for data."""
STOP_SECONDS = {
    Service.COLLECTOR: 30,
    Service.METRICS: 30,
    Service.SAMPLER: 30,
    Service.BALANCER: 10,
    Service.JAEGER: 30,
    Service.PROMETHEUS: 120,
    Service.ALERTMANAGER: 10,
    Service.PROXY: 10,
    Service.CANARY: 10,
    **dict.fromkeys(THANOS, thanos.STOP_SECONDS),
}
"""How long each may take to end: the collector to empty its queues, Prometheus to write its head."""


@dataclass(frozen=True, slots=True)
class Process:
    """One supervised program."""

    service: Service
    arguments: tuple[str, ...]
    memory_mib: int
    """GOMEMLIMIT: natively nothing else holds a program back; 0 for what is not written in Go."""
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The program's name for supervisorctl: the service's."""
        return str(self.service)

    @property
    def stop_seconds(self) -> int:
        """How long it may take to end."""
        return STOP_SECONDS[self.service.role]

    @property
    def environment(self) -> str:
        """As supervisord takes it: `A="1",B="2"`."""
        limit = (("GOMEMLIMIT", f"{self.memory_mib}MiB"),) if self.memory_mib else ()
        pairs = (*limit, *self.variables)
        return ",".join(f'{name}="{value}"' for name, value in pairs)


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """The one configuration of the native engine."""
    text = fill(
        f"supervisor/{NAME}.j2",
        profile=plan.profile.name,
        run=f"%(ENV_{RUN})s",
        processes=[(process, variable(plan, process.service)) for process in processes(plan)],
    )
    description = (
        "supervisord: runs collector, Jaeger, Prometheus and Alertmanager as processes (engine `native`)."
    )
    return (Artifact(below(Site.NATIVE, NAME), text, description, Check.SUPERVISOR),)


def variable(plan: Plan, service: Service) -> str:
    """The environment variable that holds the program's path: `LOOM_OTELCOL`."""
    return f"LOOM_{plan.container(service).program.name.upper()}"


def variables(plan: Plan) -> tuple[str, ...]:
    """Every environment variable that supervisord must be given."""
    programs = dict.fromkeys(variable(plan, process.service) for process in processes(plan))
    return (RUN, DATA, *programs)


def processes(plan: Plan) -> tuple[Process, ...]:
    """In the order of their start; they are stopped the other way round, so that the collector can flush."""
    arguments = {
        Service.ALERTMANAGER: _alertmanager(plan),
        Service.JAEGER: ("--config", f"%(here)s/{jaeger.NAME}"),
        Service.PROMETHEUS: _prometheus(plan),
        Service.PROXY: _caddy(proxy.NAME),
        # Who hands on is started after whoever takes: the samplers first.
        **{one: _collector(one) for one in reversed(topology.collectors(plan.profile))},
        **thanos.commands(plan, Site.NATIVE),
        Service.BALANCER: _caddy(balancer.NAME),
        Service.CANARY: canary.ARGUMENTS,
    }
    return tuple(
        _process(plan, service, given) for service, given in arguments.items() if service in plan.services
    )


def _collector(service: Service) -> tuple[str, ...]:
    return ("--config", f"%(here)s/{collector.name(service, Site.NATIVE)}")


def _caddy(configuration: str) -> tuple[str, ...]:
    return ("run", "--adapter", "caddyfile", "--config", f"%(here)s/{configuration}")


def _process(plan: Plan, service: Service, arguments: tuple[str, ...]) -> Process:
    variables = _variables(plan, service)
    return Process(service, arguments, plan.container(service).gomemlimit_mib, variables)


def _variables(plan: Plan, service: Service) -> tuple[tuple[str, str], ...]:
    if service.role in topology.COLLECTORS:
        gogc = plan.container(service).gogc
        own = (("GOGC", str(gogc)),) if gogc else ()
        return ((ENVIRONMENT.name, plan.profile.environment), *own)
    if plan.container(service).program == programs.CADDY:
        # What Caddy would otherwise keep in the home of whoever starts it.
        return tuple((one, f"%(ENV_{DATA})s/{service}") for one in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"))
    return canary.settings(plan, Site.NATIVE) if service is Service.CANARY else ()


def _prometheus(plan: Plan) -> tuple[str, ...]:
    return (
        f"--config.file=%(here)s/{prometheus.NAME}",
        f"--storage.tsdb.path=%(ENV_{DATA})s/{Service.PROMETHEUS}",
        f"--web.listen-address={plan.listen(Service.PROMETHEUS, Purpose.UI, Site.NATIVE)}",
        *prometheus.flags(plan, Site.NATIVE),
    )


def _alertmanager(plan: Plan) -> tuple[str, ...]:
    return (
        f"--config.file=%(here)s/{alertmanager.NAME}",
        f"--storage.path=%(ENV_{DATA})s/{Service.ALERTMANAGER}",
        f"--web.listen-address={plan.listen(Service.ALERTMANAGER, Purpose.UI, Site.NATIVE)}",
        *alertmanager.FLAGS,
        *protection.flags(plan, Service.ALERTMANAGER, Site.NATIVE),
    )
