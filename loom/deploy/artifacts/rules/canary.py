"""Alerts on the canary, and on what it sees: whether telemetry arrives, and how long certificates last."""

from collections.abc import Iterator
from math import ceil

from loom.contract import canary as c
from loom.contract import foreign as f
from loom.contract.promql import (
    Matcher,
    above,
    absent,
    aggregate,
    below,
    binary,
    call,
    either,
    now,
    scalar,
    select,
)
from loom.contract.resource import INSTANCE, JOB
from loom.deploy.artifacts.canary import met
from loom.deploy.artifacts.prometheus import targets
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, held
from loom.deploy.artifacts.rules.pipeline import COMPONENT
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import STATED, Growth
from loom.deploy.plan import rounds
from loom.deploy.plan.model import Plan, Service

OLD = 300
"""Seconds: telemetry that is older than this does not arrive, where the canary is not slower by itself."""
ROUNDS, FAILED = 10, 2
"""Of so many rounds, so many may fail."""
CLOSED = 5
"""Minutes for which a port may be closed."""
DAY = 86_400
SOON, AT_ONCE = 14, 3
"""Days before a certificate ends."""


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """None where there is no canary, and no certificates where there are none."""
    if not plan.profile.canary.enabled:
        return ()
    found = (_missing(plan), _failing(plan))
    if plan.profile.security.tls.mode == "off":
        return found
    return (
        *found,
        *_closed(plan),
        _certificate("CertificateExpiring", SOON, Severity.WARNING),
        _certificate("CertificateExpiringNow", AT_ONCE, Severity.CRITICAL),
    )


def oldest(plan: Plan) -> int:
    """Seconds that the newest arrival may be old: three rounds of the canary, and what their numbers take."""
    return max(OLD, round(rounds.oldest(plan.profile, 3)))


def _missing(plan: Plan) -> Alert:
    limit = oldest(plan)
    newest = aggregate("max", select(c.LAST_SUCCESS), by=(JOB, "signal"))
    gone = (absent(c.LAST_SUCCESS, (Matcher("signal", "=", signal),)) for signal in c.SIGNALS)
    return Alert(
        "CanaryMissing",
        either(above(binary(now(), "-", newest), limit), *gone),
        "2m",
        Severity.CRITICAL,
        f.JOB_CANARY,
        "No new {{ $labels.signal }} arrive in their store",
        f"The canary has found none that is younger than {limit} seconds, or says nothing itself: what Loom"
        " sends may be lost, whatever the other alerts say.",
        Proof(
            (
                _arrivals(limit, Kind.FIRES, "they stop arriving, and arrive again", 12),
                _arrivals(limit, Kind.QUIET, "they stop for a moment", 1),
                _silence(),
            ),
            STATED,
            silent=tuple({"signal": signal} for signal in c.SIGNALS),
        ),
    )


def _arrivals(limit: int, kind: Kind, about: str, more: int) -> Scene:
    """One signal stops for as long as is allowed and some minutes more; the other goes on."""
    stop = 10
    resume = stop + limit // 60 + more
    last = resume + 5
    course = Course(tuple(60.0 * (stop if stop <= minute < resume else minute) for minute in range(last + 1)))
    steady = Course(tuple(60.0 * minute for minute in range(last + 1)))
    stopped, other = c.SIGNALS
    inputs = (
        Input(c.LAST_SUCCESS, course, {JOB: f.JOB_CANARY, "signal": stopped}),
        Input(c.LAST_SUCCESS, steady, {JOB: f.JOB_CANARY, "signal": other}),
    )
    return play(kind, about, inputs, Stage(lambda minute: minute * 60 - course.at(minute) > limit, 2, last))


def _silence() -> Scene:
    """The canary says nothing of one signal: absence says that, without the canary's own labels."""
    steady = Course(tuple(60.0 * minute for minute in range(11)))
    there, lacking = c.SIGNALS
    inputs = (Input(c.LAST_SUCCESS, steady, {JOB: f.JOB_CANARY, "signal": there}),)
    scene = play(Kind.FIRES, "it says nothing of one signal", inputs, Stage(lambda _: True, 2, 10))
    return Scene(scene.kind, scene.about, inputs, scene.looks, ({"signal": lacking},))


def _failing(plan: Plan) -> Alert:
    window = f"{max(ROUNDS, round(ROUNDS * rounds.patience(plan.profile) / 60))}m"
    by = (JOB, INSTANCE, "signal", "stage")

    def missed(course: Course) -> tuple[Input, ...]:
        return (Input(c.FAILURES, course, {JOB: f.JOB_CANARY, "signal": "traces", "stage": c.LOOKUP}),)

    return Alert(
        "CanaryFailing",
        above(aggregate("sum", call("increase", select(c.FAILURES, window=window)), by=by), FAILED),
        "0m",
        Severity.WARNING,
        f.JOB_CANARY,
        "Rounds of the canary fail for {{ $labels.signal }}, at {{ $labels.stage }}",
        f"{{{{ $value | humanize }}}} rounds failed in {window}: telemetry arrives late, or not at all.",
        Growth(FAILED, window, "0m", missed).proof(),
    )


def unscraped(plan: Plan) -> tuple[Service, ...]:
    """Those of which only the canary can say that they are down: nobody scrapes or sends to them."""
    known = {target.service for target in targets(plan)} | met(plan)
    return tuple(one for one in plan.services if one.role not in known and one not in known)


def _closed(plan: Plan) -> Iterator[Alert]:
    names = [str(one) for one in unscraped(plan)]
    if not names:
        return
    # Two looks in a row: a service may be started anew, and a look may fail.
    seconds = 2 * plan.profile.canary.interval.seconds + plan.profile.metrics.scrape_interval.seconds
    hold = max(CLOSED, ceil(seconds / 60))
    looked = select(c.PORT_OPEN, (Matcher("identity", "=~", "|".join(names)),))
    yield Alert(
        "PipelineServiceDown",
        aggregate("max", binary(looked, "==", scalar(0)), by=(JOB, INSTANCE, "identity")),
        f"{hold}m",
        Severity.WARNING,
        COMPONENT,
        "{{ $labels.identity }} is down",
        "The canary finds nobody at the port of {{ $labels.identity }}: its pages do not open.",
        Proof(
            (
                *(_looked_at(name, Kind.FIRES, hold, hold + 10) for name in names),
                _looked_at(names[0], Kind.QUIET, hold, hold - 2),
            ),
            STATED,
        ),
    )


def _looked_at(name: str, kind: Kind, hold: int, away: int) -> Scene:
    """Nobody is at a port for some minutes; nor at one that is scraped, whose own alert says so."""
    course = held((1.0, 10), (0.0, away), (1.0, 15))
    inputs = (
        Input(c.PORT_OPEN, course, {JOB: f.JOB_CANARY, "identity": name}),
        Input(c.PORT_OPEN, held((0.0, len(course))), {JOB: f.JOB_CANARY, "identity": "prometheus"}),
    )
    about = "it stops answering, and answers again" if kind is Kind.FIRES else "it is started anew"
    stage = Stage(lambda minute: course.at(minute) == 0, hold, len(course) - 1)
    return play(kind, f"{name}: {about}", inputs, stage)


def _certificate(name: str, days: int, severity: Severity) -> Alert:
    ends = aggregate("min", select(c.CERTIFICATE_EXPIRY), by=(JOB, INSTANCE, "identity"))
    return Alert(
        name,
        below(binary(ends, "-", now()), days * DAY),
        "10m",
        severity,
        COMPONENT,
        "The certificate of {{ $labels.identity }} ends soon",
        f"It ends in {{{{ $value | humanizeDuration }}}}, which is less than {days} days: rotate it.",
        Proof(
            (
                _lasting(days, Kind.FIRES, "it ends sooner, and is renewed", -15 * 60),
                _lasting(days, Kind.QUIET, "it lasts a little longer", 45 * 60),
            ),
            STATED,
        ),
    )


def _lasting(days: int, kind: Kind, about: str, spare: int) -> Scene:
    """A certificate that lasts some seconds more than the days; renewed after half an hour."""
    end, renewed = float(days * DAY + spare), float(1000 * DAY)
    course = held((end, 30), (renewed, 10)) if kind is Kind.FIRES else held((end, 40))

    def truth(minute: int) -> bool:
        return course.at(minute) - minute * 60 < days * DAY

    inputs = (Input(c.CERTIFICATE_EXPIRY, course, {JOB: f.JOB_CANARY, "identity": "prometheus"}),)
    return play(kind, about, inputs, Stage(truth, 10, 39))
