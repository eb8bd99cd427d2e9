"""Which program is used: the right version on PATH, else the cache's, else none."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.deploy.programs import CADDY, GRAFANA, JAEGER, OTELCOL, PROMETHEUS, PROMTOOL, TELEMETRYGEN
from loom.deploy.toolchain import RECIPES, cache_root, locate, require
from loom.errors import ToolchainError

Put = Callable[[str, str], Path]


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/loom-deploy"),
        ({"HOME": "/h"}, "/h/.cache/loom-deploy"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/loom-deploy"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/loom-deploy"),
    ],
)
def test_the_cache_follows_the_xdg_rules(environ: dict[str, str], root: str) -> None:
    assert cache_root(environ) == Path(root)


def test_the_right_version_on_path_is_used(environ: dict[str, str], on_path: Put) -> None:
    binary = on_path("prometheus", 'echo "prometheus, version 3.16.0 (branch: HEAD, revision: abc)"')
    located = locate(PROMETHEUS, environ)
    assert located is not None
    assert (located.path, located.source, located.version) == (binary, "path", "3.16.0")


@pytest.mark.parametrize(
    "script",
    [
        'echo "prometheus, version 3.15.9 (branch: HEAD)"',
        'echo "prometheus, version 3.16.0-rc.1 (branch: HEAD)"',
        'echo "prometheus, version 3.16.01"',
        "echo nonsense",
        "exit 3",
    ],
)
def test_another_version_on_path_is_refused(environ: dict[str, str], on_path: Put, script: str) -> None:
    on_path("prometheus", script)
    assert locate(PROMETHEUS, environ) is None


def test_a_version_printed_on_standard_error_counts(environ: dict[str, str], on_path: Put) -> None:
    on_path("jaeger", 'echo "jaeger version v2.13.0" >&2')
    assert locate(JAEGER, environ) is not None


def test_a_file_on_path_that_cannot_be_run_is_refused(environ: dict[str, str], on_path: Put) -> None:
    on_path("promtool", "").write_bytes(b"\x7fELF but not really")
    assert locate(PROMTOOL, environ) is None


@pytest.mark.parametrize(
    ("said", "is_it"),
    [
        ("v2.11.9 h1:u6aGD6SPEmkkWUZI1Q4TnclISLTDbHuPsxqhwGVFnFc=", True),
        ("v2.11.9", True),
        ("v2.11.90 h1:u6aGD6SPEmkkWUZI1Q4TnclISLTDbHuPsxqhwGVFnFc=", False),
        ("built with v2.11.9", False),
    ],
)
def test_a_version_with_nothing_before_it_counts(
    environ: dict[str, str], on_path: Put, said: str, *, is_it: bool
) -> None:
    on_path("caddy", f'echo "{said}"')
    assert (locate(CADDY, environ) is not None) is is_it


_MODULE = "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen"


@pytest.mark.parametrize(
    ("module", "version", "is_it"),
    [
        (_MODULE, "v0.161.0", True),
        (_MODULE, "v0.160.0", False),
        (f"{_MODULE}2", "v0.161.0", False),
        ("github.com/open-telemetry/opentelemetry-collector-contrib/cmd", "v0.161.0", True),
    ],
    ids=["pinned", "another version", "another module", "a module above the program"],
)
def test_a_program_that_says_no_version_is_known_by_what_go_wrote_into_it(
    environ: dict[str, str], on_path: Put, module: str, version: str, *, is_it: bool
) -> None:
    information = f"path\t{_MODULE}\nmod\t{module}\t{version}\th1:sum=\ndep\tx\tv9\th1:y=\n"
    on_path("telemetrygen", "").write_bytes(b"\x7fELF\0" + information.encode() + b"\0")
    assert (locate(TELEMETRYGEN, environ) is not None) is is_it


def _collector(modules: list[str]) -> str:
    lines = "\n".join(f"      module: {module} v0.161.0" for module in modules)
    return f"case $1 in components) echo '{lines}';; *) echo 'otelcol version 0.161.0';; esac"


def _needed() -> list[str]:
    manifest = (RECIPES["otelcol"].source / "manifest.yaml").read_text()
    return re.findall(r"gomod: (\S+)", manifest)


@pytest.mark.parametrize("name", ["otelcol", "otelcol-contrib"])
def test_a_collector_with_all_components_is_used_under_either_name(
    environ: dict[str, str], on_path: Put, name: str
) -> None:
    on_path(name, _collector([*_needed(), "example.org/more"]))
    assert locate(OTELCOL, environ) is not None


def test_a_collector_that_lacks_a_component_is_refused(environ: dict[str, str], on_path: Put) -> None:
    on_path("otelcol", _collector(_needed()[1:]))
    assert locate(OTELCOL, environ) is None


def test_every_missing_program_is_named_at_once_with_what_to_do(environ: dict[str, str]) -> None:
    with pytest.raises(ToolchainError) as caught:
        require(PROMETHEUS, JAEGER, environ=environ)
    assert [problem.message for problem in caught.value.problems] == [
        "prometheus 3.16.0 is not installed",
        "jaeger 2.13.0 is not installed",
    ]
    assert {problem.hint for problem in caught.value.problems} == {"run: loom-deploy toolchain install"}


def test_required_programs_come_by_name(environ: dict[str, str], on_path: Put) -> None:
    binary = on_path("jaeger", "echo jaeger version v2.13.0")
    assert require(JAEGER, environ=environ) == {"jaeger": binary}


def test_a_program_without_a_recipe_is_never_found(environ: dict[str, str], on_path: Put) -> None:
    on_path("grafana", "echo grafana version 13.2.3")
    assert locate(GRAFANA, environ) is None
