"""What holds of every profile there is, and of everything that is none."""

import json
import re
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from loom.deploy.plan import derive
from loom.deploy.plan.model import Plan, Service
from loom.deploy.profile import load
from loom.deploy.profile.model import Profile
from loom.deploy.profile.schema import schema
from loom.errors import PlanError, Problem, ProfileError

Document = dict[str, Any]
VALIDATOR = Draft202012Validator(schema())


def one(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


# A strategy of profile documents, written beside model and schema: it is compared with both.
names = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
secrets = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
namespaces = st.from_regex(r"[a-z][a-z0-9]{0,9}(_[a-z0-9]{1,9}){0,2}", fullmatch=True)
hosts = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
numbers = st.integers(1, 400)
durations = st.builds("{}{}".format, numbers, one("s", "m", "h", "d", "w"))
intervals = st.builds("{}s".format, st.integers(1, 90))
sizes = st.builds("{}{}".format, numbers, one("MB", "GB", "MiB", "GiB"))
samplers = st.sampled_from(
    ["always_on", "always_off", "traceidratio=0.25", "traceidratio=1", "traceidratio=0"]
)
ports = st.integers(1, 65535)


def section(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    """Any of the keys, each with a value of its own."""
    return st.fixed_dictionaries({}, optional=keys)


ratios = one("0", "0.1", "1").map(float)
rates = st.none() | st.integers(1, 10_000)
rare = st.fixed_dictionaries(
    {"agents": st.lists(names, min_size=1, max_size=2)}, optional={"ratio": ratios, "spans_per_second": rates}
)
tails = section(
    wait=intervals,
    after_root=st.none() | intervals,
    slow=st.none() | intervals,
    rare=st.lists(rare, max_size=2),
    ratio=ratios,
    spans_per_second=rates,
    expected=st.floats(0.01, 0.9),
)
logins: st.SearchStrategy[dict[str, str]] = st.just({}) | st.fixed_dictionaries(
    {"username": names, "password_secret": secrets}
)
mails = st.builds(
    lambda told, login: {**told, **login},
    st.fixed_dictionaries(
        {
            "to": st.just("team@example.org"),
            "sender": st.just("alerts@example.org"),
            "smarthost": one("smtp.example.org:587", "mail:25"),
        }
    ),
    logins,
)
calls = {
    "url_secret": secrets,
    "slack": st.fixed_dictionaries({"url_secret": secrets, "channel": one("#alerts", "@who")}),
    "email": mails,
    "pagerduty": st.fixed_dictionaries({"key_secret": secrets}),
}
# Each calls somebody in one way at least, whichever it is.
receivers = st.sampled_from(sorted(calls)).flatmap(
    lambda way: st.fixed_dictionaries(
        {"name": names, way: calls[way]},
        optional={other: strategy for other, strategy in calls.items() if other != way},
    )
)
teams = st.fixed_dictionaries(
    {"name": names, "components": st.lists(one("loom.event_bus", "jaeger", "prometheus"), max_size=2)}
)
routes = st.fixed_dictionaries(
    {"receiver": names | st.just("nobody")},
    optional={"severity": one("critical", "warning"), "team": names | st.just("platform")},
)
heartbeats = st.fixed_dictionaries({"url_secret": secrets}, optional={"interval": durations})
waivers = st.fixed_dictionaries(
    {
        "edge": one("prometheus -> jaeger:telemetry", "prometheus -> otel-collector:telemetry", "a -> b:ui"),
        "reason": st.just("the program cannot do it, and nobody else reaches it"),
        "until": one("2027-05-31", "2030-01-01"),
    }
)
basics = st.fixed_dictionaries({"user": names, "password_secret": secrets})
certificates = st.fixed_dictionaries({"cert_secret": secrets, "key_secret": secrets})
metric_names = one("loom.event_bus.published_total", "loom.router.confidence", "loom.no.such")
proofs: st.SearchStrategy[Document] = (
    st.just({})
    | st.fixed_dictionaries({"basic": basics})
    | st.fixed_dictionaries({"bearer_secret": secrets})
    | st.fixed_dictionaries({"certificate": certificates})
)


def outside(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    """Somebody outside, to whom we prove ourselves in one way or in none."""
    where = {"name": names, "url": one("https://store.example/api/v1/write", "http://10.0.0.1:9090")}
    own = st.fixed_dictionaries(where, optional={"ca_secret": secrets, **keys})
    return st.builds(lambda one, proof: {**one, **proof}, own, proofs)


stores = outside(
    version=one("1.0", "2.0"),
    exemplars=st.booleans(),
    series=one("all", "loom", "recorded"),
    keep=st.lists(metric_names, max_size=2),
    drop=st.lists(metric_names, max_size=2),
)
thanos = section(
    objstore=st.just({})
    | st.fixed_dictionaries({"directory": st.just("/srv/blocks")})
    | st.fixed_dictionaries({"config_secret": secrets}),
    retention=section(raw=durations, five_minutes=durations, hour=durations),
)
labels = st.lists(one("topic", "qos", "instance", "error.type", "nothing"), min_size=1, max_size=2)
aggregations = section(metrics=st.lists(metric_names, max_size=2), panels=one("whole", "coarser")) | (
    st.fixed_dictionaries({"drop_labels": labels}) | st.fixed_dictionaries({"keep_labels": labels})
)
PORTS = tuple(
    key
    for key in type(Profile(name="any").ports).model_fields
    if key not in {"bind", "ingest_bind", "offset"}
)
GOAL: dict[str, st.SearchStrategy[Any]] = {
    "enabled": st.booleans(),
    "objective": st.floats(0.01, 0.9999),
    "window": durations,
}
OBJECTIVE = section(**GOAL)
SECTIONS: dict[str, st.SearchStrategy[Any]] = {
    "description": st.text(st.characters(categories=["L", "N", "Zs", "P"]), max_size=100),
    "environment": names | st.just("production"),
    "loom": section(
        service_name=st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,20}", fullmatch=True),
        image=st.from_regex(
            r"[a-z0-9]{1,10}(/[a-z0-9]{1,10}){0,2}:[A-Za-z0-9]{1,5}([.-][A-Za-z0-9]{1,5}){0,2}",
            fullmatch=True,
        ),
        command=st.lists(st.from_regex(r"[a-z0-9.=-]{1,20}", fullmatch=True), max_size=4),
    ),
    "tracing": section(
        sampler=samplers,
        tail=st.none() | tails,
        storage=one("memory", "badger"),
        retention=durations,
        max_traces=st.integers(100, 100_000),
    ),
    "metrics": section(
        naming=one("documented", "prometheus"),
        namespace=st.just("") | namespaces,
        delivery=one("scrape", "otlp"),
        export_interval=intervals,
        scrape_interval=intervals,
        retention=section(time=durations, size=sizes),
        remote_write=st.lists(stores, max_size=2),
        federation=section(sources=st.lists(outside(), max_size=2), callers=st.lists(names, max_size=2)),
        longterm=section(thanos=st.none() | thanos),
    ),
    "collector": section(
        topology=one("single", "gateway", "split", "tiered"),
        replicas=st.integers(1, 9),
        samplers=st.integers(1, 9),
        memory=sizes,
        queue=section(size=st.integers(1000, 1_000_000), storage=one("memory", "disk"))
        | st.fixed_dictionaries({"storage": st.just("disk"), "fsync": st.booleans()}),
        diagnostics=st.booleans(),
        log_level=one("debug", "info", "warn", "error"),
        aggregation=aggregations,
    ),
    "memory": section(
        prometheus=sizes,
        alertmanager=sizes,
        jaeger=sizes,
        grafana=sizes,
        proxy=sizes,
        canary=sizes,
        sampler=sizes,
        balancer=sizes,
        thanos=sizes,
    ),
    "volumes": section(prometheus=sizes, jaeger=sizes, collector=sizes, thanos=sizes),
    "ports": section(
        bind=one("127.0.0.1", "0.0.0.0"),  # noqa: S104 - a value, bound by nobody
        ingest_bind=one("127.0.0.1", "0.0.0.0"),  # noqa: S104 - the same
        offset=st.integers(0, 50_000),
        **dict.fromkeys(PORTS, ports),
    ),
    "alerting": section(
        receivers=st.lists(receivers, max_size=3),
        teams=st.lists(teams, max_size=2),
        routes=st.lists(routes, max_size=2),
        heartbeat=st.none() | heartbeats,
        repeat=section(critical=durations, warning=durations),
        slo=section(
            objective=st.floats(0.01, 0.9999),
            window=durations,
            floor=st.integers(1, 100),
            delivery=OBJECTIVE,
            invoke_success=OBJECTIVE,
            tool_success=OBJECTIVE,
            invoke_latency=section(**GOAL, threshold=one("1s", "2500ms")),
            freshness=section(**GOAL, within=durations),
        ),
        runbook_base=one("https://example.org/runbooks", "http://wiki"),
    ),
    "security": section(
        tls=section(mode=one("off", "mutual"), minimum=one("1.2", "1.3"), hosts=st.lists(hosts, max_size=2)),
        ingestion=one("certificate", "token"),
        authentication=one("off", "basic"),
        hardened=st.booleans(),
        waivers=st.lists(waivers, max_size=2),
    ),
    "canary": section(enabled=st.booleans(), interval=intervals),
    "workload": section(
        processes=st.integers(1, 100),
        events_per_second=st.floats(0.1, 10_000) | st.integers(1, 10_000),
        topics=st.integers(1, 200),
        capabilities=st.integers(1, 200),
        tools=st.integers(0, 200),
        servers=st.integers(0, 50),
        agent_types=st.integers(1, 50),
    ),
}
profiles = st.builds(lambda rest: {"name": "team", **rest}, section(**SECTIONS))
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | durations,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document, the top excluded."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[str | int, ...]] = []
    for key, child in items:
        found += [(*path, key), *places(child, (*path, key))]
    return found


@st.composite
def damaged(draw: st.DrawFn) -> Document:
    """A profile with one value, anywhere, replaced by anything."""
    document: Document = json.loads(json.dumps(draw(profiles)))
    *way, last = draw(st.sampled_from(places(document)))
    inside: Any = document
    for key in way:
        inside = inside[key]
    inside[last] = draw(junk)
    return document


def accepted(document: object) -> bool:
    try:
        Profile.model_validate(document)
    except ValidationError:
        return False
    return True


def planned(document: Document) -> tuple[Plan | None, list[Problem]]:
    try:
        return derive(Profile.model_validate(document)), []
    except PlanError as error:
        return None, list(error.problems)


def has(key: str, document: Document) -> bool:
    return key in document


def yaml(document: object, indent: int | None = None) -> str:
    """The document as JSON, which is YAML but for one thing: YAML joins no two escapes to one character."""
    return json.dumps(document, indent=indent, ensure_ascii=False)


def loaded(**files: str) -> Profile:
    """The profile `team`, from these files of one folder."""
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / f"{name}.yaml").write_text(text, encoding="utf-8")
        return load("team", folder=Path(folder))


@given(profiles)
def test_every_profile_of_the_strategy_is_one_for_model_and_schema(document: Document) -> None:
    Profile.model_validate(document)
    VALIDATOR.validate(document)


@given(damaged())
def test_what_the_model_accepts_the_schema_accepts(document: Document) -> None:
    if accepted(document):
        VALIDATOR.validate(document)


# Any example will do: to find the smallest takes minutes.
UNSHRUNK = settings(phases=[Phase.generate], max_examples=5_000)


def test_the_strategy_knows_every_key_of_the_model() -> None:
    keys = {key for key in Profile.model_fields if key != "name"}
    assert set(SECTIONS) == keys
    for key, field in Profile.model_fields.items():
        inner = getattr(field.annotation, "model_fields", {})
        for name in inner:
            assert name in find(SECTIONS[key], partial(has, name), settings=UNSHRUNK)


@pytest.mark.parametrize("wanted", [True, False])
def test_the_strategy_reaches_profiles_with_a_plan_and_without(wanted: bool) -> None:  # noqa: FBT001 - a case
    assert find(profiles, lambda document: (planned(document)[0] is not None) == wanted and len(document) > 2)


@pytest.mark.parametrize("wanted", [True, False])
def test_damage_is_sometimes_harmless_and_sometimes_not(wanted: bool) -> None:  # noqa: FBT001 - a case
    assert find(damaged(), lambda document: accepted(document) == wanted)


@given(profiles)
@settings(max_examples=50)
def test_a_profile_survives_the_way_through_a_file(document: Document) -> None:
    assert loaded(team=yaml(document)) == Profile.model_validate(document)


@given(profiles, profiles)
@settings(max_examples=50)
def test_extending_is_merging(base: Document, over: Document) -> None:
    files = {"base": yaml(base | {"name": "base"}), "team": yaml(over | {"extends": "base"})}
    wanted = merged(base, over)
    if accepted(wanted):
        assert loaded(**files) == Profile.model_validate(wanted)
    else:  # each for itself is fine, and the two together are not
        with pytest.raises(ProfileError):
            loaded(**files)


def merged(base: Any, over: Any) -> Any:  # noqa: ANN401 - any JSON
    """What the documentation says, once more and shorter: an oracle for the one with places."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    kept = {key: value for key, value in base.items() if key not in over}
    laid = {key: merged(base[key], value) if key in base else value for key, value in over.items()}
    return kept | {key: value for key, value in laid.items() if not (value is None and key in base)}


@given(profiles)
def test_a_plan_is_whole_or_refused_with_places(document: Document) -> None:
    plan, problems = planned(document)
    assert all(re.match(r"\$\.[a-z0-9_.\[\]]+$", problem.path) for problem in problems)
    assert all(problem.message and problem.hint for problem in problems)
    assert bool(problems) == (plan is None)
    if plan is None:
        return
    native = [port.native for port in plan.ports]
    assert len(native) == len(set(native))
    assert max(native) <= 65535
    always = {Service.COLLECTOR, Service.JAEGER, Service.PROMETHEUS, Service.ALERTMANAGER, Service.GRAFANA}
    assert always <= {container.service.role for container in plan.containers} <= set(Service)
    assert plan.estimate.memory_mib == sum(container.memory_mib for container in plan.containers)
    assert all(0 <= container.gomemlimit_mib < container.memory_mib for container in plan.containers)
    assert 0 < plan.limiter.spike_mib < plan.limiter.limit_mib < plan.container(Service.COLLECTOR).memory_mib


@given(damaged())
@settings(max_examples=50)
def test_a_problem_is_reported_in_plain_words_at_a_line(document: Document) -> None:
    text = yaml(document, indent=2)
    try:
        loaded(team=text)
    except ProfileError as error:
        problems = list(error.problems)
    else:
        return
    for problem in problems:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert problem.column >= 1
        assert not re.search("Input|valid string|should|pydantic", problem.message.partition("'")[0])
        assert str(problem).isprintable()
