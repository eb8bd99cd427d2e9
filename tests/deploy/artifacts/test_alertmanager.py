"""Alertmanager's configuration: who hears of what. Every route is asked of the real amtool."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.deploy import profile
from loom.deploy.artifacts import Artifact, alertmanager, parse, rules
from loom.deploy.artifacts.alertmanager.inhibition import LESSER, chains
from loom.deploy.artifacts.rules import Severity
from loom.deploy.plan import Plan, derive
from loom.deploy.profile import routing
from loom.deploy.programs import AMTOOL
from loom.deploy.toolchain import require
from loom.deploy.validate import Outcome, Programs, Verdict, validate
from loom.errors import PlanError

ALERTING = """
  receivers:
    - {name: ops, url_secret: ops_url}
    - {name: chat, slack: {url_secret: chat_url, channel: "#alerts"}}
    - name: pager
      pagerduty: {key_secret: pager_key}
      email:
        {to: duty@example.org, sender: loom@example.org, smarthost: "mail.example.org:587",
         username: loom, password_secret: mail_password}
  teams:
    - {name: models, components: [loom.router, loom.tool_orchestrator]}
  routes:
    - {severity: critical, receiver: pager}
    - {team: models, receiver: chat}
    - {severity: critical, team: models, receiver: chat}
    - {severity: warning, team: platform, receiver: ops}
    - {severity: critical, team: platform, receiver: ops}
  heartbeat: {url_secret: switch_url}
  repeat: {critical: 30m}
"""


@pytest.fixture
def planned(tmp_path: Path) -> Callable[[str], Plan]:
    """A plan with these lines below `alerting`."""

    def make(alerting: str) -> Plan:
        file = tmp_path / "called.yaml"
        file.write_text(f"extends: dev\nname: called\nalerting:\n{alerting}")
        return derive(profile.load(file))

    return make


@pytest.fixture
def called(planned: Callable[[str], Plan]) -> Plan:
    """A deployment with receivers of every kind, two teams, and a dead man's switch."""
    return planned(ALERTING)


def configuration(plan: Plan) -> Any:  # noqa: ANN401 - YAML
    return parse(alertmanager.artifacts(plan)[0])


def reached(plan: Plan, name: str) -> tuple[str, ...]:
    """Who must hear of an alert."""
    found = {dict(each.labels)["alertname"]: each.receivers for each in alertmanager.expectations(plan)}
    return found[name]


def test_without_receivers_alerts_show_and_nobody_is_called(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("dev")
    assert configuration(plan)["receivers"] == [{"name": "nobody"}]
    assert {each.receivers for each in alertmanager.expectations(plan)} == {("nobody",)}


def test_without_routes_every_receiver_hears_of_everything_but_the_heartbeat(
    planned: Callable[[str], Plan],
) -> None:
    plan = planned("  receivers: [{name: ops, url_secret: a}, {name: dev, url_secret: b}]\n")
    told = {dict(each.labels)["severity"]: each.receivers for each in alertmanager.expectations(plan)}
    assert told == {"critical": ("ops", "dev"), "warning": ("ops", "dev"), "none": ("nobody",)}


@pytest.mark.parametrize(
    ("alert", "receivers"),
    [
        ("LoomAgentsDown", ("pager", "ops")),
        ("LoomRouterPolicyViolations", ("chat",)),
        ("LoomToolFailing", ("chat",)),
        ("LoomAgentFailing", ("ops",)),
        ("Watchdog", ("heartbeat",)),
    ],
)
def test_routes_choose_by_severity_and_team(called: Plan, alert: str, receivers: tuple[str, ...]) -> None:
    assert reached(called, alert) == receivers


def test_what_no_route_takes_goes_to_the_first_receiver(planned: Callable[[str], Plan]) -> None:
    plan = planned(
        "  receivers: [{name: ops, url_secret: a}, {name: dev, url_secret: b}]\n"
        "  routes: [{severity: critical, receiver: dev}]\n"
    )
    assert reached(plan, "LoomAgentsDown") == ("dev",)
    assert reached(plan, "LoomAgentFailing") == ("ops",)


def test_a_secret_is_named_by_its_file_and_stands_nowhere(called: Plan) -> None:
    ours, native, _ = alertmanager.artifacts(called)
    names = called.profile.alerting.secrets
    assert names == ("chat_url", "mail_password", "ops_url", "pager_key", "switch_url")
    for artifact, folder in ((ours, "/run/secrets"), (native, "../secrets/alertmanager")):
        files = re.findall(r'_file: "(.*)"', artifact.text)
        assert sorted(files) == [f"{folder}/{name}" for name in names]
    keys = {key for receiver in configuration(called)["receivers"] for key in _keys(receiver)}
    assert not keys & {"url", "api_url", "routing_key", "service_key", "auth_password", "smtp_auth_password"}


def _keys(node: Any) -> set[str]:  # noqa: ANN401 - YAML
    if isinstance(node, dict):
        return {str(key) for key in node} | {key for child in node.values() for key in _keys(child)}
    return {key for child in node for key in _keys(child)} if isinstance(node, list) else set()


def test_a_receiver_is_told_once_however_many_routes_name_it(called: Plan) -> None:
    for branch in configuration(called)["route"]["routes"]:
        leaves = [leaf["receiver"] for leaf in branch.get("routes", [])]
        assert len(leaves) == len(set(leaves))


def test_what_is_worse_is_told_sooner_and_again_sooner(called: Plan) -> None:
    critical, warning = configuration(called)["route"]["routes"][1:]
    assert (critical["repeat_interval"], warning["repeat_interval"]) == ("30m", "12h")
    assert (critical["group_wait"], warning["group_wait"]) == ("10s", "30s")


def test_every_severity_has_its_branch(called: Plan) -> None:
    matchers = [branch["matchers"] for branch in configuration(called)["route"]["routes"][1:]]
    spoken = [one for one in Severity if one is not Severity.NONE]
    assert matchers == [[f'severity="{severity}"'] for severity in spoken]


def test_a_silenced_alert_and_its_cause_are_alerts_of_ours(plan_of: Callable[..., Plan]) -> None:
    everything = derive(profile.load(Path(__file__).parents[3] / "bench" / "everything.yaml"))
    plans = (plan_of("dev"), plan_of("prod"), everything)
    known = {alert.name: alert for plan in plans for alert in rules.alerts(plan)}
    for chain in (*LESSER, *(chain for plan in plans for chain in chains(plan))):
        assert known[chain.cause].severity is Severity.CRITICAL or chain.cause == "LoomTelemetryAbsent"
        for effect in chain.effects:
            # A label that only one of them has is never equal: what is to be silenced would be told.
            for label in chain.alike:
                assert label in known[chain.cause].expression.labels
                assert label in known[effect].expression.labels, (chain.cause, effect, label)


SHAPED = {
    "single": ((), {"otel-collector", "jaeger"}, {"otel-collector", "otel-collector-exporter", "prometheus"}),
    "split": (
        ("metrics.delivery=otlp",),
        {"otel-collector", "jaeger"},
        {"otel-metrics", "prometheus"},
    ),
    "tiered": (
        ("metrics.delivery=otlp", "tracing.tail.wait=20s"),
        {"otel-collector", "otel-sampler", "jaeger"},
        {"otel-collector", "prometheus"},
    ),
}


@pytest.mark.parametrize("shape", SHAPED)
def test_what_is_down_silences_only_what_it_carries(plan_of: Callable[..., Plan], shape: str) -> None:
    overrides, traces, metrics = SHAPED[shape]
    found = chains(plan_of("dev", f"collector.topology={shape}", "canary.enabled=true", *overrides))
    jobs = {chain.signal: set(chain.jobs) for chain in found if chain.jobs}
    assert jobs == {"": metrics, "traces": traces | {"canary"}, "metrics": metrics | {"canary"}}


def test_every_warning_that_a_worse_alert_repeats_is_silenced_by_it() -> None:
    """Not by another of its component: that a disk is full is no reason to keep quiet of a broken file."""
    pairs = {(chain.cause, effect) for chain in LESSER for effect in chain.effects}
    assert ("PrometheusVolumeFull", "PrometheusVolumeFilling") in pairs
    assert ("CertificateExpiringNow", "CertificateExpiring") in pairs
    assert not [pair for pair in pairs if pair[1].endswith("ConfigInvalid")]


MISFITS = {
    "misspelt": (
        """
  receivers: [{name: ops, url_secret: a}]
  routes: [{receiver: opps}, {team: modles, receiver: ops}]
  teams: [{name: models, components: [loom.router]}]
""",
        """
routes[0].receiver: there is no receiver 'opps' (did you mean 'ops'?)
routes[1].team: there is no team 'modles' (did you mean 'models'?)
""",
    ),
    "taken names": (
        """
  receivers: [{name: nobody, url_secret: a}]
  teams: [{name: platform, components: []}]
  repeat: {warning: 7d}
""",
        """
receivers[0].name: 'nobody' is a receiver of ours (choose another name)
repeat.warning: Alertmanager forgets after 120h whom it told (write at most 120h)
teams[0].components: has none (write them; every other component is platform's anyway)
teams[0].name: 'platform' is the rest (choose another name)
""",
    ),
    "a heartbeat without a pause": (
        """
  heartbeat: {url_secret: a, interval: 999ms}
""",
        """
heartbeat.interval: 999ms is too short: Alertmanager would call without a pause (write at least 1s)
""",
    ),
    "half a login": (
        """
  receivers: [{name: post, email: {to: a@b.c, sender: d@e.f, smarthost: 'g:25', username: h}}]
  teams: [{name: one, components: [jaeger]}, {name: two, components: [jaeger]}]
""",
        """
receivers[0].email: a login is a user and a password (write username and password_secret, or neither)
teams[1].components: jaeger belongs to one already (write it once)
""",
    ),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_together_is_refused_at_its_line(
    planned: Callable[[str], Plan], misfit: str
) -> None:
    alerting, problems = MISFITS[misfit]
    with pytest.raises(PlanError) as caught:
        planned(alerting)
    found = caught.value.problems
    said = sorted(str(replace(problem, file="", line=0, column=0)) for problem in found)
    assert said == [f"$.alerting.{line}" for line in problems.split("\n") if line]
    assert all(problem.line for problem in found)


def test_routes_are_refused_together_with_everything_else(planned: Callable[[str], Plan]) -> None:
    with pytest.raises(PlanError) as caught:
        planned("  routes: [{receiver: opps}]\ncanary: {enabled: true, interval: 500ms}\n")
    paths = [problem.path for problem in caught.value.problems]
    assert paths == ["$.alerting.routes[0].receiver", "$.canary.interval"]


def test_a_team_that_looks_after_nothing_is_refused_at_its_line(planned: Callable[[str], Plan]) -> None:
    plan = planned("  teams: [{name: models, components: [loom.rooter]}]\n")
    with pytest.raises(PlanError) as caught:
        alertmanager.artifacts(plan)
    [problem] = caught.value.problems
    assert (problem.path, problem.line) == ("$.alerting.teams[0].components", 4)
    assert (problem.message, problem.hint) == (
        "no alert is about 'loom.rooter'",
        "did you mean 'loom.router'?",
    )


NOT_TEXT = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]


@pytest.mark.parametrize("name", NOT_TEXT)
def test_a_name_that_yaml_takes_for_something_else_stays_a_name(
    planned: Callable[[str], Plan], name: str
) -> None:
    plan = planned(f"  receivers: [{{name: '{name}', url_secret: a}}, {{name: ops, url_secret: b}}]\n")
    *_, test = alertmanager.artifacts(plan)
    document: Any = parse(test)
    told = {tuple(one["receivers"]) for one in document["tests"]}
    assert told == {(name, "ops"), ("nobody",)}
    # A reader that knows more such words than PyYAML sees quotes too.
    assert f'["{name}", ops]' in test.text


@pytest.fixture(scope="session")
def judge() -> Callable[..., list[Verdict]]:
    """The real amtool's verdict on the files."""
    programs = Programs({AMTOOL.name: require(AMTOOL)[AMTOOL.name]})
    return lambda *files: list(validate(files, programs))


Judge = Callable[..., list[Verdict]]


@pytest.mark.smoke
def test_amtool_accepts_every_kind_of_receiver_and_finds_every_route_right(
    called: Plan, judge: Judge
) -> None:
    verdicts = judge(*alertmanager.artifacts(called))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.ACCEPTED] * 3, verdicts


MUTATIONS = {
    "another receiver": ('- receiver: "pager"', '- receiver: "ops"'),
    "another severity": ('severity="critical"\'', 'severity="warning"\''),
    "a component is missing": (
        '        - receiver: "ops"\n          matchers: [\'component!~"loom\\\\.router|',
        '        - receiver: "ops"\n          matchers: [\'component!~"',
    ),
    "the rest is turned round": ("component!~", "component=~"),
    "the first match ends it": ("continue: true", "continue: false"),
    "somebody else hears of what no route takes": ('receiver: "heartbeat"', 'receiver: "ops"'),
    "a team's route is for everybody": (
        "          matchers: ['component=~\"loom\\\\.router|loom\\\\.tool_orchestrator\"']\n",
        "",
    ),
}


@pytest.mark.smoke
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_changed_route_is_refused(called: Plan, judge: Judge, mutation: str) -> None:
    ours, native, test = alertmanager.artifacts(called)
    before, after = MUTATIONS[mutation]
    assert before in ours.text
    verdicts = judge(replace(ours, text=ours.text.replace(before, after)), native, test)
    outcomes = {verdict.artifact: verdict.outcome for verdict in verdicts}
    assert outcomes[test.path] is Outcome.REFUSED
    (refused,) = (verdict for verdict in verdicts if verdict.artifact == test.path)
    assert all("reaches" in problem.message for problem in refused.problems)


@pytest.mark.smoke
def test_a_warning_of_amtool_is_a_refusal(called: Plan, judge: Judge) -> None:
    ours = alertmanager.artifacts(called)[0]
    unescaped = replace(ours, text=ours.text.replace("\\\\", "\\"))
    (verdict,) = judge(unescaped)
    assert verdict.outcome is Outcome.REFUSED


_names = st.sampled_from(["one", "two", "three"])
_components = st.sampled_from(["loom.event_bus", "loom.router", "jaeger", "otel-collector", "pipeline"])


@st.composite
def routings(draw: st.DrawFn) -> dict[str, Any]:
    """Any receivers, teams and routes that fit together."""
    receivers = draw(st.lists(_names, min_size=1, unique=True))
    components = draw(st.lists(_components, max_size=4, unique=True))
    half = len(components) // 2
    parts = {"left": components[:half], "right": components[half:]}
    teams = {name: inside for name, inside in parts.items() if inside}
    route = st.fixed_dictionaries(
        {"receiver": st.sampled_from([*receivers, "nobody"])},
        optional={
            "severity": st.sampled_from(["critical", "warning"]),
            "team": st.sampled_from([*teams, "platform"]),
        },
    )
    return {
        "receivers": [{"name": name, "url_secret": name} for name in receivers],
        "teams": [{"name": name, "components": inside} for name, inside in teams.items()],
        "routes": draw(st.lists(route, max_size=5)),
    }


@pytest.mark.smoke
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=routings())
def test_amtool_and_the_profile_agree_on_any_routes(
    document: dict[str, Any], plan_of: Callable[..., Plan], judge: Judge
) -> None:
    base = plan_of("dev")
    alerting = base.profile.alerting.model_copy(update=dict(routing.Routing.model_validate(document)))
    plan = replace(base, profile=base.profile.model_copy(update={"alerting": alerting}))
    ours, native, test = alertmanager.artifacts(plan)
    # One alert for each place in the tree is enough, on one of the two configurations.
    text = _one_of_each(test).replace("  - ../native/alertmanager.yml\n", "")
    verdicts = judge(ours, native, replace(test, text=text))
    assert [verdict.problems for verdict in verdicts if verdict.outcome is not Outcome.ACCEPTED] == []


def _one_of_each(test: Artifact) -> str:
    head, *tests = re.split(r"(?m)^(?=  - labels)", test.text)
    return head + "".join({re.sub("alertname: .*?,", "", one): one for one in tests}.values())
