"""Compose and native files are the same but for addresses and paths."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from loom.deploy.artifacts import alertmanager, collector, jaeger, parse, prometheus
from loom.deploy.plan import Plan

ADDRESS = r"(https?://)?([a-z-]+|0\.0\.0\.0|127\.0\.0\.1)(:\d+)?(/\S*)?"
PATH = r"(\$\{env:LOOM_DATA\}|\.\.)?(/[\w.*-]+)+(/\*\.yaml)?|prometheus/rules/\*\.yaml"


def _leaves(node: Any, path: str = "$") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any YAML
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, f"{path}[{index}]")
    else:
        yield path, node


@pytest.mark.parametrize("module", [collector, prometheus, alertmanager, jaeger], ids=lambda m: m.__name__)
def test_the_native_file_differs_in_addresses_and_paths_only(module: Any, plan: Plan) -> None:  # noqa: ANN401 - a module
    ours, native, *_ = module.artifacts(plan)
    assert native.path == f"native/{ours.path}"
    left, right = dict(_leaves(parse(ours))), dict(_leaves(parse(native)))
    assert left.keys() == right.keys()
    for path, value in left.items():
        if value != right[path]:
            for one in (value, right[path]):
                port = path.endswith(".port") and isinstance(one, int)
                assert port or re.fullmatch(f"{ADDRESS}|{PATH}", one), f"{path}: {value} and {right[path]}"


def test_a_difference_that_is_neither_would_be_seen() -> None:
    # The patterns above must not take everything for an address.
    for text in ("insert", "128 MiB", "5m", "UnderscoreEscapingWithSuffixes", "4096"):
        assert not re.fullmatch(PATH, text)
    assert not re.fullmatch(ADDRESS, "Concat([], name)")


def test_native_programs_listen_on_loopback_only(plan: Plan) -> None:
    for module in (collector, jaeger):
        text = module.artifacts(plan)[1].text
        assert "0.0.0.0" not in text  # noqa: S104 - it must not be there
