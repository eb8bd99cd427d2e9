"""What a render does to the files of a folder."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy.artifacts.model import Artifact
from loom.deploy.writer import MANIFEST, State, commit, inspect
from loom.errors import DriftError, WriteError

Set = tuple[Artifact, ...]
Held = Callable[[Path], dict[str, str]]
DASHBOARD = "grafana/dashboards/mine.json"


def texts(artifacts: Set) -> dict[str, str]:
    return {artifact.path: artifact.text for artifact in artifacts}


@pytest.fixture
def folder(tmp_path: Path, first: Set) -> Path:
    """A folder as the first version left it, with a dashboard of the user's own in it."""
    folder = tmp_path / "generated" / "dev"
    commit(folder, first)
    (folder / DASHBOARD).write_text("mine\n")
    return folder


def test_a_users_own_dashboard_survives_every_render(folder: Path, first: Set, second: Set) -> None:
    inode = (folder / DASHBOARD).stat().st_ino
    for artifacts in (second, first, second):
        changes = commit(folder, artifacts, force=True)
        assert changes.states[DASHBOARD] is State.FOREIGN
    assert (folder / DASHBOARD).read_text() == "mine\n"
    assert (folder / DASHBOARD).stat().st_ino == inode


def test_a_hand_edited_file_is_reported_and_kept_until_forced(
    folder: Path, first: Set, second: Set, held: Held
) -> None:
    (folder / "prometheus.yml").write_text("scrape: 1s # mine\n")
    for artifacts in (first, second, first):  # it stays an edit, however often we render
        changes = commit(folder, artifacts)
        assert changes.by_hand == ("prometheus.yml",)
        assert held(folder)["prometheus.yml"] == "scrape: 1s # mine\n"
    assert commit(folder, second, force=True).by_hand == ()
    assert held(folder) == texts(second) | {DASHBOARD: "mine\n"}


def test_undoing_an_edit_makes_the_file_ours_again(folder: Path, second: Set) -> None:
    (folder / "prometheus.yml").write_text("scrape: 1s # mine\n")
    commit(folder, second)
    (folder / "prometheus.yml").write_text("scrape: 15s\n")
    assert commit(folder, second).states["prometheus.yml"] is State.UPDATED
    assert (folder / "prometheus.yml").read_text() == "scrape: 5s\n"


def test_a_file_that_is_no_longer_rendered_goes_and_its_folder_with_it(folder: Path, second: Set) -> None:
    assert commit(folder, second).paths(State.STALE) == ("old/gone.yml",)
    assert not (folder / "old").exists()


def test_a_file_that_is_no_longer_rendered_but_edited_is_reported_and_kept(folder: Path, second: Set) -> None:
    (folder / "old/gone.yml").write_text("mine now\n")
    for _ in range(2):
        assert commit(folder, second).by_hand == ("old/gone.yml",)
        assert (folder / "old/gone.yml").read_text() == "mine now\n"
    commit(folder, second, force=True)
    assert not (folder / "old").exists()


def test_a_file_of_ours_that_was_deleted_comes_back(folder: Path, first: Set) -> None:
    (folder / "prometheus.yml").unlink()
    assert commit(folder, first).paths(State.CREATED) == ("prometheus.yml",)
    assert (folder / "prometheus.yml").exists()


def test_a_file_that_stood_there_before_the_first_render_is_kept(tmp_path: Path, first: Set) -> None:
    folder = tmp_path / "dev"
    folder.mkdir()
    (folder / "prometheus.yml").write_text("theirs\n")
    assert commit(folder, first).by_hand == ("prometheus.yml",)
    assert (folder / "prometheus.yml").read_text() == "theirs\n"
    assert (folder / "rules/loom.yml").exists()


def test_a_symbolic_link_in_place_of_our_file_is_an_edit(folder: Path, second: Set) -> None:
    target = folder.parent / "elsewhere.yml"
    target.write_text("scrape: 5s\n")
    (folder / "prometheus.yml").unlink()
    (folder / "prometheus.yml").symlink_to(target)
    assert commit(folder, second).by_hand == ("prometheus.yml",)
    assert (folder / "prometheus.yml").is_symlink()
    commit(folder, second, force=True)
    assert not (folder / "prometheus.yml").is_symlink()
    assert target.read_text() == "scrape: 5s\n"


def test_what_a_folder_cannot_lose_is_carried_over_as_it_is(folder: Path, second: Set) -> None:
    (folder / "empty").mkdir(mode=0o700)
    (folder / "notes").symlink_to("nowhere")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o750)
    (folder / "prometheus.yml").chmod(0o600)
    folder.chmod(0o750)
    commit(folder, second)
    assert (folder / "empty").stat().st_mode & 0o777 == 0o700
    assert (folder / "notes").readlink() == Path("nowhere")
    assert (folder / "run.sh").stat().st_mode & 0o777 == 0o750
    assert (folder / "prometheus.yml").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o750


def test_a_render_that_changes_nothing_touches_nothing(folder: Path, first: Set) -> None:
    before = {path: path.stat() for path in (folder, *folder.rglob("*"))}
    assert not commit(folder, first).needed
    assert {path: path.stat() for path in (folder, *folder.rglob("*"))} == before


def test_check_names_each_file_that_differs_and_writes_nothing(folder: Path, second: Set, held: Held) -> None:
    (folder / "rules/loom.yml").write_text("groups: [b]\n")
    before = held(folder)
    assert inspect(folder, second).drift() == {
        "grafana/dashboards/loom-overview.json": State.UPDATED,
        "new/deep/file.yml": State.CREATED,
        "old/gone.yml": State.STALE,
        "prometheus.yml": State.UPDATED,
        "rules/loom.yml": State.EDITED,
    }
    assert held(folder) == before


def test_check_sees_a_manifest_that_lies(folder: Path, first: Set) -> None:
    path = folder / MANIFEST
    path.write_text(path.read_text().replace('"files"', ' "files"'))
    assert list(inspect(folder, first).drift()) == [MANIFEST]


def test_the_manifest_is_the_same_bytes_for_the_same_set(
    tmp_path: Path, folder: Path, first: Set, second: Set
) -> None:
    commit(folder, second)
    commit(tmp_path / "other", tuple(reversed(second)))
    assert (folder / MANIFEST).read_bytes() == (tmp_path / "other" / MANIFEST).read_bytes()
    assert inspect(folder, first).needed


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"files": {"../../victim": "' + "0" * 64 + '"}}',
        '{"files": {"/etc/passwd": "' + "0" * 64 + '"}}',
        '{"files": {"prometheus.yml": "short"}}',
        '<<<<<<< HEAD\n{"files": {}}\n',
    ],
)
def test_a_manifest_that_is_not_ours_is_never_believed(folder: Path, second: Set, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(DriftError, match="manifest cannot be read"):
        commit(folder, second)
    assert (folder / "prometheus.yml").read_text() == "scrape: 15s\n"
    commit(folder, second, force=True)
    assert (folder / "prometheus.yml").read_text() == "scrape: 5s\n"
    assert not inspect(folder, second).needed


def test_a_folder_in_the_way_of_a_file_is_refused_by_name(tmp_path: Path, first: Set) -> None:
    folder = tmp_path / "dev"
    (folder / "prometheus.yml").mkdir(parents=True)
    (folder / "rules").write_text("a file\n")
    with pytest.raises(WriteError, match=r"in the way") as caught:
        commit(folder, first, force=True)
    assert [problem.file for problem in caught.value.problems] == ["prometheus.yml", "rules"]


def test_the_folder_we_stand_in_is_never_swapped(
    folder: Path, second: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "rules")
    with pytest.raises(WriteError, match="folder you are in"):
        commit(folder, second)


def test_a_repository_is_never_swapped(tmp_path: Path, first: Set) -> None:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    with pytest.raises(WriteError, match="root of a repository"):
        commit(tmp_path / "repository", first)


def test_a_link_to_the_folder_stays_a_link(tmp_path: Path, folder: Path, second: Set) -> None:
    link = tmp_path / "current"
    link.symlink_to(folder)
    commit(link, second)
    assert link.is_symlink()
    assert (folder / "prometheus.yml").read_text() == "scrape: 5s\n"


def test_a_forbidden_folder_is_an_error_that_names_it(tmp_path: Path, first: Set) -> None:
    (tmp_path / "file").write_text("not a folder\n")
    with pytest.raises(WriteError, match="cannot write") as caught:
        commit(tmp_path / "file" / "dev", first)
    assert str(tmp_path / "file") in caught.value.problems[0].file


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_an_error_with_a_hint(tmp_path: Path, first: Set) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match="permission"):
        commit(tmp_path / "dev", first)


def test_a_manifest_nested_beyond_reading_is_one_that_cannot_be_read(folder: Path, first: Set) -> None:
    (folder / MANIFEST).write_text("[" * 100_000)
    with pytest.raises(DriftError, match="the manifest cannot be read"):
        commit(folder, first)
    commit(folder, first, force=True)
    assert not inspect(folder, first).drift()
