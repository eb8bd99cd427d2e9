"""The JSON Schema: valid, complete, committed, and written by the command."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from loom.cli.schema import command
from loom.deploy.profile.schema import schema, schema_text
from loom.errors import WriteError

PROFILES = Path(__file__).parents[3] / "profiles"


def properties(part: dict[str, Any], path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in part.get("properties", {}).items():
        yield f"{path}.{name}", value
    for name, value in part.get("$defs", {}).items():
        yield from properties(value, name)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_the_committed_file_is_up_to_date() -> None:
    committed = (PROFILES / "profile.schema.json").read_text()
    assert committed == schema_text(), (
        "write it with: loom-deploy schema --output profiles/profile.schema.json"
    )


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_shipped_profiles_name_it_in_their_first_line(name: str) -> None:
    first = (PROFILES / f"{name}.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=profile.schema.json"


def test_every_key_is_described_and_unknown_ones_are_refused_at_every_level() -> None:
    found = dict(properties(schema()))
    assert len(found) > 50
    # A section's own description stands with its definition.
    bare = [path for path, value in found.items() if not value.keys() & {"description", "$ref"}]
    assert bare == []
    assert all(part["description"] for part in schema()["$defs"].values())
    levels = [schema(), *(part for part in schema()["$defs"].values() if "properties" in part)]
    assert all(level["additionalProperties"] is False for level in levels)


def test_defaults_stand_as_people_write_them() -> None:
    assert schema()["$defs"]["Retention"]["properties"]["time"]["default"] == "15d"
    assert schema()["$defs"]["Tracing"]["properties"]["sampler"]["default"] == "always_on"


def test_the_command_writes_to_standard_output_or_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "schema.json"
    assert CliRunner().invoke(command, []).output == schema_text()
    assert CliRunner().invoke(command, ["--output", "-"]).output == schema_text()
    result = CliRunner().invoke(command, ["--output", str(target)])
    assert (result.exit_code, result.output) == (0, "")
    assert target.read_text() == schema_text()


def test_the_command_says_when_it_cannot_write(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--output", str(tmp_path / "missing" / "schema.json")])
    assert isinstance(result.exception, WriteError)
    assert "cannot be written: No such file or directory" in str(result.exception)


def test_a_full_disk_leaves_the_file_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "schema.json"
    target.write_text("{}")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    result = CliRunner().invoke(command, ["--output", str(target)])
    assert isinstance(result.exception, WriteError)
    assert str(result.exception) == f"{target}  cannot be written: No space left on device"
    assert target.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    target, link = tmp_path / "schema.json", tmp_path / "link.json"
    link.symlink_to(target)
    assert CliRunner().invoke(command, ["--output", str(link)]).exit_code == 0
    assert link.is_symlink()
    assert target.read_text() == schema_text()
    full = CliRunner().invoke(command, ["--output", "/dev/full"])
    assert "/dev/full  cannot be written: No space left on device" in str(full.exception)
