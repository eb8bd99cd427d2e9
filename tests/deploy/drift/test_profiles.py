"""Two profiles compared by meaning."""

import types
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from loom.deploy.drift.profiles import Effect, Group, Line, compare, document, lines
from loom.deploy.drift.profiles.catalogue import FACTS
from loom.deploy.drift.profiles.leaf import leaves
from loom.deploy.plan import derive
from loom.deploy.plan.model import Method, Plan, Service, Waiver
from loom.deploy.profile import load
from loom.deploy.profile.model import Profile
from loom.deploy.profile.quantity import Duration, Quantity, Size
from loom.deploy.profile.sampler import Sampler

PLAIN = load("dev")


def plan(*sets: str, name: str = "dev") -> Plan:
    return derive(load(name, sets))


def other(annotation: Any, value: Any) -> Any:  # noqa: ANN401, PLR0911 - any field's type; a case, a return
    """A value of a field that is not the one it has."""
    match value:
        case bool():
            return not value
        case Enum():
            return next(one for one in type(value) if one is not value)
        case int() | float():
            return value + 1
        case Quantity():
            return type(value).parse(f"{value.base + 1}{next(iter(value.units))}")
        case Sampler():
            return Sampler.parse("traceidratio=0.123")
        case str():
            choices = [
                one for one in get_args(annotation) if get_origin(annotation) is Literal and one != value
            ]
            return choices[0] if choices else f"{value}x"
    if isinstance(value, tuple | list):
        return (*value, made(next((one for one in _inner(annotation) if one is not Ellipsis), str)))
    return made(next(one for one in _inner(annotation) if one is not types.NoneType))


def made(annotation: Any) -> Any:  # noqa: ANN401 - any field's type
    """Some value of a type."""
    if get_args(annotation) and hasattr(annotation, "__metadata__"):
        return made(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        given = {name: made(field.annotation) for name, field in fields if field.is_required()}
        return annotation.model_construct(**given)
    known = {int: 1, float: 0.5, bool: True, Duration: Duration.parse("1s"), Size: Size.parse("1GB")}
    return known.get(annotation, "text")


def _inner(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any field's type
    while hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    return get_args(annotation)


def changes(section: BaseModel, path: str = "") -> Iterator[tuple[str, BaseModel]]:
    """Every single field, and the section with another value there."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            for inner, changed in changes(value, f"{path}{name}."):
                yield inner, section.model_copy(update={name: changed})
        else:
            yield f"{path}{name}", section.model_copy(update={name: other(field.annotation, value)})


CHANGES = dict(changes(PLAIN))


def test_every_field_of_a_profile_is_looked_at() -> None:
    assert len(CHANGES) > 50
    assert set(CHANGES) == set(leaves(PLAIN))


@pytest.mark.parametrize("path", CHANGES)
def test_another_value_in_any_one_field_is_shown(path: str) -> None:
    before = derive(PLAIN)
    changed = CHANGES[path]
    assert isinstance(changed, Profile)
    found = compare(before, replace(before, profile=changed))
    assert [line.path for line in found if line.path == path] == [path]
    assert all(line.a != line.b and line.what for line in found)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_profile_compared_with_itself_shows_nothing(name: str) -> None:
    assert compare(plan(name=name), plan(name=name)) == ()


def test_another_spelling_of_the_same_value_is_no_difference() -> None:
    sets = (
        "tracing.sampler=traceidratio=1.0",
        "metrics.scrape_interval=5000ms",
        "collector.memory=524288KiB",
    )
    assert compare(plan(), plan(*sets)) == ()


def test_what_is_known_about_values_is_about_values_that_there_are() -> None:
    assert [path for path in FACTS if path not in leaves(PLAIN)] == []


def test_what_weakens_security_comes_first_and_says_what_is_lost_on_each_edge() -> None:
    found = compare(plan(name="prod"), plan())
    first = [line for line in found if (line.group, line.effect) == (Group.SECURITY, Effect.LOSES)]
    assert first == list(found[: len(first)])
    lost = {line.what: line.meaning for line in first}
    assert lost["loom → otel-collector:4317 (spans and metrics)"] == "loses mTLS"
    assert lost["grafana → prometheus:9090 (queries)"] == "loses TLS and password"
    [mode] = [line for line in first if line.path == "security.tls.mode"]
    assert (mode.a, mode.b) == ("TLS with client certificates", "plain text")


def test_the_other_way_round_the_same_is_gained() -> None:
    there, back = compare(plan(), plan(name="prod")), compare(plan(name="prod"), plan())
    swapped = {Effect.LOSES: Effect.GAINS, Effect.GAINS: Effect.LOSES, Effect.CHANGES: Effect.CHANGES}
    assert sorted((one.what, one.a, one.b, one.effect) for one in there) == sorted(
        (one.what, one.b, one.a, swapped[one.effect]) for one in back
    )


def edge_changed(**change: Any) -> Line:  # noqa: ANN401 - any field's type
    before = plan(name="prod")
    edge = next(one for one in before.edges if one.source == "loom" and one.protected)
    edges = tuple(replace(one, **change) if one is edge else one for one in before.edges)
    [line] = compare(before, replace(before, edges=edges))
    return line


def test_an_edge_that_loses_only_its_proof_or_only_its_encryption_is_said_so() -> None:
    assert edge_changed(method=Method.NONE).meaning == "loses client certificate"
    assert edge_changed(encrypted=False).effect is Effect.LOSES
    assert edge_changed(method=Method.TOKEN).effect is Effect.CHANGES


def test_a_waiver_alone_is_shown_with_its_reason_and_its_day() -> None:
    line = edge_changed(waiver=Waiver("nobody has the time", "2027-01-01"))
    assert "waived until 2027-01-01" in line.b
    assert "nobody has the time" in line.meaning


def test_what_follows_is_said_of_both_sides() -> None:
    [line] = [line for line in compare(plan(), plan("collector.memory=1GiB")) if line.path]
    assert (line.effect, line.a, line.b) == (Effect.GAINS, "512MiB", "1GiB")
    assert "limit 409 MiB" in line.meaning
    assert "limit 819 MiB" in line.meaning


def test_an_item_of_a_list_that_one_side_has_not_is_one_line_with_all_it_says() -> None:
    receivers = ({"name": "oncall", "url_secret": "hook"},)
    changed = Profile.model_validate({**PLAIN.model_dump(mode="json"), "alerting": {"receivers": receivers}})
    found = {line.path: line for line in compare(derive(PLAIN), derive(changed))}
    assert (found["alerting.receivers"].a, found["alerting.receivers"].b) == ("none", "oncall")
    assert "url_secret hook" in found["alerting.receivers[oncall]"].b


def test_edges_that_change_alike_are_shown_together_and_once_each() -> None:
    found = compare(plan(), plan(name="prod"))
    shown = list(lines(found, ("dev", "prod")))
    assert shown[0].startswith(f"dev → prod: {len(found)} differences")
    for line in found:
        marked = f"{line.what}"
        assert sum(text[4:] == marked for text in shown if text[:2] == "  " and text[2] in "-+~") == 1
    assert len(shown) < 4 * len(found)


def test_the_document_for_machines_has_every_line() -> None:
    found = compare(plan(), plan("canary.enabled=true"))
    told = document(found, ("dev", "other"))
    assert told["same"] is False
    assert isinstance(told["differences"], list)
    assert {one["path"] for one in told["differences"]} >= {"canary.enabled"}
    assert all(set(one) == set(Line.__dataclass_fields__) for one in told["differences"])


def test_a_published_port_more_weakens_and_a_service_more_is_named() -> None:
    found = {line.what: line for line in compare(plan(), plan("collector.diagnostics=false"))}
    assert found[f"{Service.COLLECTOR}:zpages published"].effect is Effect.GAINS
