"""The rules of the house, checked on the code itself."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("loom", "bench") for path in (ROOT / folder).rglob("*.py"))
LONGEST_FILE = 250
LONGEST_FUNCTION = 60
MOST_PARAMETERS = 5


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def _of_dataclasses(tree: ast.AST) -> set[int]:
    return {
        id(member)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any("dataclass" in ast.dump(each) for each in node.decorator_list)
        for member in node.body
    }


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_the_house_has_rooms_to_check() -> None:
    assert len(SOURCES) > 50


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_is_short_and_so_are_its_functions(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE
    tree = ast.parse(text)
    for function in _functions(tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= LONGEST_FUNCTION, f"{function.name} has {length} lines"
        arguments = function.args
        named = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        taken = [name for name in named if name not in {"self", "cls"}]
        # A click command takes one parameter an option: its signature is the command line.
        command = any("option" in ast.dump(decorator) for decorator in function.decorator_list)
        # More than that belongs into a dataclass; the `__init__` that one writes out itself is its fields.
        written_out = function.name == "__init__" and id(function) in _of_dataclasses(tree)
        assert command or written_out or len(taken) <= MOST_PARAMETERS, (
            f"{function.name} takes {len(taken)} parameters"
        )


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=_name)
def test_an_init_only_re_exports(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        listing = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        assert docstring or isinstance(node, (ast.Import, ast.ImportFrom)) or listing, ast.unparse(node)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_no_module_is_named_for_nothing(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.mark.parametrize(("name", "limit"), [("README.md", 200), ("justfile", 80)])
def test_what_people_read_first_stays_short(name: str, limit: int) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= limit


def test_every_exception_to_a_lint_rule_has_its_reason_beside_it() -> None:
    bare = []
    for path in (*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"#\s*(noqa|type: ignore)", line) and not re.search(
                r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[a-z-, ]+\])\s+(-|#)\s*\w", line
            ):
                bare.append(f"{_name(path)}:{number}")
    assert bare == []


def test_no_file_names_the_host_of_a_package_registry() -> None:
    # Written apart, so that this file does not name them either.
    hosts = [
        "py" + "pi.org",
        "python" + "hosted.org",
        "npm" + "js.org",
        "proxy." + "golang.org",
        "deb." + "debian.org",
    ]
    named = [_name(path) for path in tracked() if any(host.encode() in path.read_bytes() for host in hosts)]
    assert named == []


def test_the_command_line_starts_without_mcp_opentelemetry_or_docker() -> None:
    heavy = (
        "mcp",
        "opentelemetry",
        "python_on_whales",
        "pydantic",
        "rich",
        "jinja2",
        "grafana_foundation_sdk",
    )
    script = f"import sys, loom.cli.main\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_telemetry_names_are_spelt_in_the_contract_only() -> None:
    from loom.contract import metrics  # noqa: PLC0415 - only this test needs it

    names = {metric.name for metric in metrics.ALL} | {
        metric.name.replace(".", "_") for metric in metrics.ALL
    }
    spelt = [
        f"{_name(path)}: {node.value}"
        for path in SOURCES
        if "contract" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in names
        if name in node.value
    ]
    assert spelt == []
