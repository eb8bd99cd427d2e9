"""Loading: what is merged with what, which file is read, and what is refused before it is parsed."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy.profile import load
from loom.deploy.profile.document import MAX_NODES, parse
from loom.deploy.profile.quantity import Duration, Size
from loom.deploy.profile.source import names
from loom.errors import LoomError, ProfileError

Write = Callable[[str, str], Path]


def said(error: LoomError) -> list[str]:
    return [str(problem) for problem in error.problems]


def refused(source: Path | str, *overrides: str) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        load(source, overrides)
    return said(caught.value)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_shipped_profiles_load_by_name_from_any_folder(name: str, write: Write) -> None:
    del write
    assert load(name).name == name
    assert {"dev", "prod"} <= set(names())


def test_a_profile_of_the_users_own_folder_comes_before_ours(write: Write) -> None:
    write("profiles/dev", "name: dev\ndescription: Ours.\n")
    assert load("dev").description == "Ours."


def test_a_profile_is_found_in_the_folder_that_is_named(write: Write) -> None:
    folder = write("own/team", "name: team\n").parent
    assert load("team", folder=folder).name == "team"


@pytest.mark.parametrize("name", ["../team", "a/b", "", ".", "..", "Team", "team.yml.bak", "/etc/passwd"])
def test_a_name_cannot_leave_the_folder_of_profiles(name: str, write: Write, tmp_path: Path) -> None:
    outside = write("outside/team", "name: team\n")
    (tmp_path / "profiles").mkdir()
    assert outside.exists()
    message = refused(name)
    assert len(message) == 1
    assert "is not a profile's name" in message[0]


def test_an_explicit_path_is_opened_wherever_it_is(write: Write) -> None:
    path = write("elsewhere/team", "name: team\n")
    assert load(f"./{path}").name == load(path).name == "team"


def test_an_unknown_name_says_which_one_was_meant(write: Write) -> None:
    write("profiles/staging", "name: staging\n")
    assert refused("stagin") == ["there is no profile 'stagin' (did you mean 'staging'?)"]


def test_a_chain_of_bases_merges_mappings_replaces_lists_and_removes_with_null() -> None:
    cases = Path(__file__).parents[2] / "cases" / "profiles" / "good"
    profile = load(cases / "extends-a-chain.yaml")
    assert (profile.ports.grafana, profile.ports.prometheus) == (3001, 9092)
    assert (profile.metrics.retention.time.text, profile.metrics.retention.size.text) == ("10d", "3GB")
    assert [receiver.name for receiver in profile.alerting.receivers] == ["team"]
    assert profile.tracing.retention == Duration.parse("72h")


def test_what_extends_has_a_name_of_its_own(write: Write) -> None:
    write("base", "name: base\n")
    assert refused(write("team", "extends: base\n")) == ["team.yaml:1:1  $.name: is missing"]


def test_a_chain_of_bases_ends_somewhere(write: Write) -> None:
    for number in range(20):
        write(f"base-{number}", f"name: base-{number}\nextends: base-{number + 1}\n")
    assert refused("base-0.yaml") == [
        "base-15.yaml:2:10  $.extends: is the 16th file in a row that extends another"
    ]


def test_an_override_is_read_as_yaml_and_wins(write: Write) -> None:
    path = write("team", "name: team\nports:\n  grafana: 3001\nmetrics:\n  namespace: loom\n")
    overrides = [
        "ports.grafana=3002",
        "metrics.namespace=",
        "collector.diagnostics=true",
        "description='a=b'",
    ]
    profile = load(path, [*overrides, "security.authentication=off", "ports.grafana=3003"])
    assert (profile.ports.grafana, profile.metrics.namespace, profile.description) == (3003, "", "a=b")
    assert profile.collector.diagnostics is True


def test_an_override_of_null_brings_the_default_back(write: Write) -> None:
    path = write("team", "name: team\nports:\n  grafana: 3001\n")
    assert load(path, ["ports.grafana=null"]).ports.grafana == 3000


def test_problems_of_overrides_and_of_files_come_at_once(write: Write) -> None:
    path = write("team", "name: team\nports:\n  grafana: 0\n")
    overrides = [
        "metrics.namespac=x",
        "nonsense",
        "ports.prometheus=many",
        "extends=dev",
        "a..b=1",
        "name=other",
    ]
    assert refused(path, *overrides) == [
        "--set  'nonsense' sets nothing (write it as metrics.scrape_interval=10s)",
        "--set  $.extends: cannot be set: it is read first",
        "--set  'a..b=1' sets nothing (write it as metrics.scrape_interval=10s)",
        "--set  $.name: 'other' is not the name of the file, 'team' (rename one of them)",
        "--set  $.metrics.namespac: unknown key 'namespac' (did you mean 'namespace'?)",
        "--set  $.ports.prometheus: must be a whole number, not 'many'",
        "team.yaml:3:12  $.ports.grafana: must be at least 1, not 0",
    ]


def test_problems_before_a_syntax_error_are_not_lost(write: Write) -> None:
    twice, syntax = refused(write("team", "name: team\nname: team\nports: {\n"))
    assert twice.startswith("team.yaml:2:1  $.name: stands here for the second time")
    assert syntax.startswith("team.yaml:4:1  not valid YAML: while parsing a flow node")


def test_a_missing_file_a_folder_and_a_dangling_link_are_told_apart(write: Write, tmp_path: Path) -> None:
    del write
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "link.yaml").symlink_to("nowhere.yaml")
    assert refused("missing.yaml") == ["missing.yaml  there is no such file"]
    assert refused("folder.yaml") == ["folder.yaml  is not a file (name a YAML file)"]
    assert refused("link.yaml") == ["link.yaml  there is no such file"]
    assert "cannot be read: File name too long" in refused(f"{'x' * 300}.yaml")[0]


def test_a_pipe_is_refused_instead_of_waited_for(write: Write) -> None:
    del write
    os.mkfifo("pipe.yaml")
    assert refused("pipe.yaml") == ["pipe.yaml  is not a file (name a YAML file)"]


def test_a_file_that_may_not_be_read_says_so(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("team", "name: team\n")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refused(path) == ["team.yaml  cannot be read: Permission denied"]


def test_a_file_of_ten_megabytes_is_refused_before_it_is_parsed(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("large", "name: large\n" + "# nothing\n" * 1_000_000)
    # Calling it would fail. The package re-exports a function under the module's name.
    monkeypatch.setattr(sys.modules["loom.deploy.profile.load"], "parse", None)
    assert refused(path) == ["large.yaml  is larger than 1 MiB, the most a profile may be"]


def test_a_document_of_many_values_ends_at_the_bound_without_aliases_too() -> None:
    assert parse(f"[{'a,' * (MAX_NODES - 1)}]", "f")[0].size == MAX_NODES
    with pytest.raises(ProfileError, match=f"more than {MAX_NODES:,} values"):
        parse(f"[{'a,' * (MAX_NODES + 1)}]", "f")


def test_a_merge_key_that_is_expanded_many_times_ends_at_the_bound() -> None:
    lines = ["a: &b0 {x: 1, y: 1}"]
    lines += [f"k{n}: &b{n + 1} {{<<: *b{n}, y{n}: *b{n}}}" for n in range(40)]
    with pytest.raises(ProfileError, match="more than"):
        parse("\n".join(lines), "f")


def test_a_document_of_yaml_1_1_leaves_no_trace() -> None:
    with pytest.raises(ProfileError):
        parse("%YAML 1.1\n---\na: off\n", "f")
    assert parse("a: off\nb: yes\nc: 0o17\nd: 2026-01-01", "f")[0].plain() == {
        "a": "off",
        "b": "yes",
        "c": 15,
        "d": "2026-01-01",
    }


def test_a_byte_order_mark_is_no_part_of_the_document(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: team\r\nports:\r\n  grafana: 0\r\n")
    assert refused(path)[0].endswith("team.yaml:3:12  $.ports.grafana: must be at least 1, not 0")


def test_profiles_from_different_files_are_equal_when_they_say_the_same(write: Write) -> None:
    write("base", "name: base\nports:\n  grafana: 3001\n")
    one = load(write("a/team", "name: team\nports: {grafana: 3001}\n"))
    two = load(write("team", "name: team\nextends: base\n"))
    assert one == two
    assert hash(one) == hash(two)
    assert one.place(("ports", "grafana")) != two.place(("ports", "grafana"))


@pytest.mark.parametrize(
    ("text", "base"), [("30d", 2_592_000_000), ("1y", 31_536_000_000), ("5ms", 5), ("0015s", 15_000)]
)
def test_a_duration_is_a_whole_number_of_one_unit(text: str, base: int) -> None:
    assert (Duration.parse(text).base, str(Duration.parse(text))) == (base, text)


def test_a_gigabyte_is_what_prometheus_makes_of_it() -> None:
    assert Size.parse("50GB").base == Size.parse("50GiB").base == 50 * 2**30


@pytest.mark.parametrize(
    "text", ["30", "d", "1.5h", "-1d", "30d\n", "1d12h", "\uff13\uff10d", "5kB", "0GB", 30, None, {}]
)
def test_anything_else_is_no_quantity(text: object) -> None:
    for kind in (Duration, Size):
        with pytest.raises(ValueError, match="is not a"):
            kind.parse(text)


def test_an_override_as_deep_or_as_long_as_nothing_can_be_is_refused(write: Write) -> None:
    path = write("team", "name: team\n")
    assert refused(path, f"{'.'.join('a' * 1000)}=1") == ["--set  sets something more than 32 levels deep"]
    digits = refused(path, f"ports.offset=0x{'f' * 5000}")
    assert digits[0].startswith("--set  $.ports.offset: must be a whole number, not '0xfff")


def test_a_command_may_be_a_script_of_several_lines(write: Write) -> None:
    path = write("team", 'name: team\nloom: {command: ["-c", "import this\\n\\tpass\\n"]}\n')
    assert load(path).loom.command == ("-c", "import this\n\tpass\n")
