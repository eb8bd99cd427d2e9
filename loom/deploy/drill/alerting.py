"""Causes on the way of an alert: Prometheus and Alertmanager, their files, rules, receivers, and series."""

from loom.contract import foreign as f
from loom.deploy.artifacts import alertmanager, prometheus
from loom.deploy.artifacts.place import below
from loom.deploy.drill.cause import Act, Cause, Proof
from loom.deploy.drill.flood import churning, multiplying
from loom.deploy.drill.ground import Ground
from loom.deploy.drill.rehearsal import HEARTBEAT, narrowed
from loom.deploy.plan.estimate import STACK_SERIES, series_within
from loom.deploy.plan.model import Service, Site

_PROMETHEUS, _ALERTMANAGER = (below(Site.NATIVE, one) for one in (prometheus.NAME, alertmanager.NAME))
_BROKEN, _SLOW = "prometheus/rules/drill-broken.yaml", "prometheus/rules/drill-slow.yaml"
_SERIES = "series"
_NEW = 800
"""Series a second."""
_RULES = {
    _BROKEN: f"""groups:
  - name: drill
    rules:
      # Many on either side: it can be read, and never evaluated.
      - record: drill:broken
        expr: {f.UP.name} * on () {f.UP.name}
""",
    _SLOW: """groups:
  - name: drill
    interval: 1ms
    rules:
      # Every series there is, a thousand times a second.
      - record: drill:slow
        expr: count({__name__=~".+"})
""",
}


def _refuse(ground: Ground) -> None:
    ground.receiver.refused.add(HEARTBEAT)


def _accept(ground: Ground) -> None:
    ground.receiver.refused.discard(HEARTBEAT)


def _add(path: str) -> Act:
    def act(ground: Ground) -> None:
        ground.edit(path, lambda _: _RULES[path])
        ground.reload(Service.PROMETHEUS)

    return act


def _spoil(service: Service, path: str) -> Act:
    def act(ground: Ground) -> None:
        ground.edit(path, lambda text: f"{text}no_such_key: true\n")
        ground.reload(service)

    return act


def _restore(service: Service, path: str) -> Act:
    def act(ground: Ground) -> None:
        ground.restore(path)
        ground.reload(service)

    return act


def _forget_alertmanager(ground: Ground) -> None:
    def without(text: str) -> str:
        head, _, rest = text.partition("\nalerting:\n")
        return f"{head}\n{rest[rest.index('scrape_configs:') :]}"

    ground.edit(_PROMETHEUS, without)
    ground.reload(Service.PROMETHEUS)


def _multiply(ground: Ground) -> None:
    """More series than planned, and fewer than there is memory for."""
    plan = narrowed(ground.plan)
    planned = plan.estimate.series + STACK_SERIES
    room = series_within(plan.profile.memory.prometheus.base)
    wanted = planned + (room - planned) * 0.35
    ground.enter(_SERIES, multiplying(ground, round(wanted - ground.value(f.HEAD_SERIES))))


def _forget_series(ground: Ground) -> None:
    """What was once a series stays one for hours: only without its data Prometheus has fewer."""
    ground.leave(_SERIES)
    ground.wipe(Service.PROMETHEUS)


def _nothing(_: Ground) -> None:
    """It always fires."""


CAUSES = (
    Cause(
        "the receiver of the heartbeat refuses", ("AlertmanagerNotificationsFailing",), _refuse, _accept, 1
    ),
    Cause(
        "a rule is added that cannot be evaluated",
        ("PrometheusRuleFailures",),
        _add(_BROKEN),
        _restore(Service.PROMETHEUS, _BROKEN),
        1,
    ),
    Cause(
        "Prometheus is given a broken configuration",
        ("PrometheusConfigInvalid",),
        _spoil(Service.PROMETHEUS, _PROMETHEUS),
        _restore(Service.PROMETHEUS, _PROMETHEUS),
        2,
    ),
    Cause(
        "Alertmanager is given a broken configuration",
        ("AlertmanagerConfigInvalid",),
        _spoil(Service.ALERTMANAGER, _ALERTMANAGER),
        _restore(Service.ALERTMANAGER, _ALERTMANAGER),
        2,
    ),
    Cause("nothing", ("Watchdog",), _nothing, _nothing, 2, {}, {"Watchdog": Proof.ENDLESS}),
    Cause(
        "a rule is added that takes longer than there is time",
        ("PrometheusRulesLate",),
        _add(_SLOW),
        _restore(Service.PROMETHEUS, _SLOW),
        4,
    ),
    Cause(
        "Alertmanager is stopped",
        ("PrometheusNotificationsDropped",),
        lambda ground: ground.stop(Service.ALERTMANAGER),
        lambda ground: ground.start(Service.ALERTMANAGER),
        5,
        {},
        {"PrometheusNotificationsDropped": Proof.LATE},
    ),
    Cause(
        "Prometheus is told of no Alertmanager",
        ("PrometheusWithoutAlertmanager",),
        _forget_alertmanager,
        _restore(Service.PROMETHEUS, _PROMETHEUS),
        6,
        {},
        {"PrometheusWithoutAlertmanager": Proof.UNHEARD},
    ),
    Cause("more series than planned", ("PrometheusSeriesAbovePlan",), _multiply, _forget_series, 7),
    Cause(
        "a label with long values, never the same twice",
        ("PrometheusSeriesNearMemory", "PrometheusVolumeFilling", "PrometheusVolumeFull"),
        lambda ground: ground.enter(_SERIES, churning(ground, _NEW)),
        _forget_series,
        8,
        {},
        {"PrometheusVolumeFilling": Proof.SILENCED},
    ),
)
