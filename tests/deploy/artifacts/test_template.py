"""Blueprints are compiled once, where Python's own modules are, and never from what is out of date."""

import sys
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from loom.deploy.artifacts.template import Compiled


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    (tmp_path / "one.j2").write_text("{{ number }} is one")
    return tmp_path


def filled(folder: Path) -> str:
    environment = Environment(  # noqa: S701 - plain text
        loader=FileSystemLoader(folder), bytecode_cache=Compiled(folder)
    )
    return environment.get_template("one.j2").render(number=1)


def kept(folder: Path) -> list[Path]:
    return sorted(folder.rglob("__pycache__/*"))


def test_what_is_compiled_is_kept_and_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert filled(folder) == "1 is one"
    assert len(kept(folder)) == 1
    monkeypatch.delattr(Environment, "compile")
    assert filled(folder) == "1 is one"


def test_a_blueprint_that_has_changed_is_compiled_again(folder: Path) -> None:
    filled(folder)
    (folder / "one.j2").write_text("{{ number }} is changed")
    assert filled(folder) == "1 is changed"
    assert len(kept(folder)) == 1


@pytest.mark.parametrize("length", [0, 3, 12, 30])
def test_what_was_torn_is_compiled_again(folder: Path, length: int) -> None:
    filled(folder)
    (file,) = kept(folder)
    file.write_bytes(file.read_bytes()[:length])
    assert filled(folder) == "1 is one"


def test_nothing_is_kept_where_python_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert filled(folder) == "1 is one"
    assert kept(folder) == []


def test_a_folder_that_takes_no_file_is_no_obstacle(folder: Path) -> None:
    (folder / "__pycache__").write_text("not a folder")
    assert filled(folder) == "1 is one"


def test_a_prefix_of_python_s_own_is_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(folder / "elsewhere"))
    filled(folder)
    assert list((folder / "elsewhere").rglob("*.pyc"))
    assert not (folder / "__pycache__").exists()
