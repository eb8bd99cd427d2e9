"""Bundles: all of what was saved arrives, or nothing does."""

import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.images import (
    Delivery,
    FakeDaemon,
    Image,
    Manifest,
    Origin,
    Pin,
    Present,
    load,
    save,
)
from loom.deploy.images.bundle import Cargo
from loom.deploy.images.manifest import NAME, parse
from loom.errors import EngineError, InputError, WriteError

HERE = Image("jaeger", "some/jaeger:1", Origin.BUILT, Pin.NONE, "sha256:j", 1)
ABSENT = Image("grafana", "some/grafana:1", Origin.MISSING, Pin.NONE)
PULLED = Present("sha256:upstream", 1, {}, ("some/jaeger@sha256:0",))


@pytest.fixture
def daemon() -> FakeDaemon:
    return FakeDaemon({HERE.reference: Present(HERE.id, 1)})


@pytest.fixture
def cargo(tmp_path: Path) -> Cargo:
    wheel = tmp_path / "some-1-py3-none-any.whl"
    wheel.write_bytes(os.urandom(5000))
    artifact = Artifact("deep/file.yaml", "a: 1\n", "a file", Check.COMPOSE)
    return Cargo("dev", (HERE,), (artifact,), (wheel,))


@pytest.fixture
def file(cargo: Cargo, daemon: FakeDaemon, tmp_path: Path) -> Path:
    path = tmp_path / "there" / "dev.tar"
    path.parent.mkdir()
    save(cargo, path, daemon)
    return path


def remade(file: Path, change: Callable[[list[tuple[str, bytes]]], None]) -> None:
    """Write the bundle anew with its members changed."""
    with tarfile.open(file) as tar:
        streams = [(entry.name, tar.extractfile(entry)) for entry in tar]
        members = [(name, stream.read()) for name, stream in streams if stream]
    change(members)
    with tarfile.open(file, "w") as tar:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


def refused(file: Path, tmp_path: Path, match: str, expected: str = "") -> None:
    """Loading fails with these words, and leaves nothing."""
    daemon = FakeDaemon()
    with pytest.raises(InputError, match=match):
        load(Delivery(file, tmp_path / "out", expected), daemon)
    assert daemon.done == []
    assert not (tmp_path / "out").exists()
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_what_was_saved_is_loaded(file: Path, cargo: Cargo, tmp_path: Path) -> None:
    daemon = FakeDaemon()
    manifest = load(Delivery(file, tmp_path / "out"), daemon)
    assert manifest.images == {HERE.reference: HERE.id}
    assert daemon.images[HERE.reference].id == HERE.id
    out = tmp_path / "out"
    assert (out / "profile" / "deep" / "file.yaml").read_text() == "a: 1\n"
    assert (out / "wheels" / cargo.wheels[0].name).read_bytes() == cargo.wheels[0].read_bytes()
    assert sorted(path.name for path in out.iterdir()) == ["profile", "wheels"]


def test_the_same_content_makes_the_same_bytes(
    file: Path, cargo: Cargo, daemon: FakeDaemon, tmp_path: Path
) -> None:
    save(cargo, tmp_path / "again.tar", daemon)
    assert (tmp_path / "again.tar").read_bytes() == file.read_bytes()


def test_every_single_byte_of_a_members_content_is_guarded(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    with tarfile.open(file) as tar:
        spots = [
            entry.offset_data + place
            for entry in tar
            if entry.name != NAME
            for place in {0, entry.size // 2, entry.size - 1}
        ]
    assert len(spots) >= 7
    for spot in spots:
        file.write_bytes(whole[:spot] + bytes([whole[spot] ^ 1]) + whole[spot + 1 :])
        refused(file, tmp_path, "damaged, or was changed")


def test_a_bundle_that_was_cut_anywhere_is_refused(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    with tarfile.open(file) as tar:
        end = max(entry.offset_data + entry.size for entry in tar)
    for length in (0, 1, 511, 512, 700, end // 2, end - 1):
        file.write_bytes(whole[:length])
        refused(file, tmp_path, "bundle|damaged|missing")


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("something else\n" * 1000)
    refused(file, tmp_path, "is no bundle")
    refused(tmp_path / "not there", tmp_path, "there is no such file")


def test_a_member_that_the_manifest_does_not_know_is_refused(file: Path, tmp_path: Path) -> None:
    remade(file, lambda members: members.append(("wheels/extra.whl", b"x")))
    refused(file, tmp_path, r"does not know: 'wheels/extra\.whl'")


def test_a_member_that_stands_twice_is_refused(file: Path, tmp_path: Path) -> None:
    remade(file, lambda members: members.append(members[-1]))
    refused(file, tmp_path, "does not know")


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "profile/../../outside", "profile/", "wheels", "x"]
)
def test_a_manifest_that_leads_out_of_the_folder_is_refused(file: Path, tmp_path: Path, name: str) -> None:
    def change(members: list[tuple[str, bytes]]) -> None:
        document = json.loads(members[0][1])
        document["members"][name] = {"size": 1, "sha256": "0" * 64}
        members[0] = (NAME, json.dumps(document).encode())
        members.append((name, b"x"))

    remade(file, change)
    refused(file, tmp_path, "does not belong into a bundle")
    assert not (tmp_path.parent / "outside").exists()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"format": 1}', "[" * 100000, '{"format": 1, "members": {"x": 1}}']
)
def test_a_manifest_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="manifest cannot be read"):
        parse(text.encode(), "file")


def test_a_bundle_of_a_later_format_says_so() -> None:
    text = Manifest("dev", {}).text().replace('"format": 1', '"format": 2')
    with pytest.raises(InputError, match="format 2, not 1"):
        parse(text.encode(), "file")


def test_a_rewritten_bundle_is_refused_when_the_manifests_sum_came_another_way(
    file: Path, cargo: Cargo, daemon: FakeDaemon, tmp_path: Path
) -> None:
    expected = save(cargo, file, daemon).sha256()
    load(Delivery(file, tmp_path / "first", expected), FakeDaemon())
    artifact = replace(cargo.artifacts[0], text="a: evil\n")
    save(replace(cargo, artifacts=(artifact,)), file, daemon)  # whole in itself
    refused(file, tmp_path, "has the manifest", expected=expected)


def test_a_pulled_image_keeps_its_reference_unless_forced(file: Path, tmp_path: Path) -> None:
    daemon = FakeDaemon({HERE.reference: PULLED})
    with pytest.raises(InputError, match="is here already, pulled"):
        load(Delivery(file, tmp_path / "out"), daemon)
    assert daemon.images[HERE.reference] == PULLED
    load(Delivery(file, tmp_path / "out", force=True), daemon)
    assert daemon.images[HERE.reference].id == HERE.id


def test_a_folder_with_something_in_it_is_not_touched(file: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(InputError, match="--output"):
        load(Delivery(file, tmp_path / "out"), FakeDaemon())
    assert (tmp_path / "out" / "mine").read_text() == "mine"


def test_an_image_that_is_not_here_is_named_and_nothing_is_written(
    cargo: Cargo, daemon: FakeDaemon, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match=r"some/grafana:1 is not on this machine"):
        save(replace(cargo, images=(HERE, ABSENT)), tmp_path / "x.tar", daemon)
    assert not (tmp_path / "x.tar").exists()
    manifest = save(replace(cargo, images=(HERE, ABSENT), incomplete=True), tmp_path / "x.tar", daemon)
    assert manifest.missing == ("some/grafana:1",)


@pytest.mark.parametrize("failing", ["engine", "disk"])
def test_a_save_that_fails_leaves_the_file_as_it_was(
    failing: str, file: Path, cargo: Cargo, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()
    if failing == "engine":
        daemon.failure = "no space left on device"
    else:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises((EngineError, WriteError), match=r"(?i)no space left"):
        save(cargo, file, daemon)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_an_engine_that_loads_something_else_is_caught(file: Path, tmp_path: Path) -> None:
    class Forgetful(FakeDaemon):
        def load(self, archive: Path) -> None:
            super().load(archive)
            self.images[HERE.reference] = Present("sha256:other", 1)

    with pytest.raises(EngineError, match="is not the image that the manifest names"):
        load(Delivery(file, tmp_path / "out"), Forgetful())


def test_a_folder_that_is_not_there_is_told(cargo: Cargo, daemon: FakeDaemon, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        save(cargo, tmp_path / "nowhere" / "x.tar", daemon)
