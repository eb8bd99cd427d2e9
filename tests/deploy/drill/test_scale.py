"""Time made short in the rendered text, and nothing but time."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from loom.deploy import profile
from loom.deploy.artifacts import Artifact, render
from loom.deploy.drill import compress, drilled
from loom.deploy.drill.scale import LEAST, MOST, RESEND, STEPS, YOUNG, wait, window
from loom.deploy.plan import derive

DAY = 86_400
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module", params=["dev", "prod"])
def files(request: pytest.FixtureRequest) -> tuple[Artifact, ...]:
    return render(drilled(derive(profile.load(request.param, (), REPOSITORY / "profiles"))))


def _text(files: Sequence[Artifact], part: str) -> str:
    return "\n".join(file.text for file in files if part in file.path)


def test_windows_keep_their_order_and_stay_within_bounds() -> None:
    spans = ["1m", "5m", "10m", "15m", "30m", "1h", "6h", "1d", "3d"]
    short = [int(window(each).removesuffix("ms")) for each in spans]
    assert short == sorted(short)
    assert (short[0], short[-1]) == (LEAST * 1000, MOST * 1000)
    assert (wait("10m"), wait("0m"), wait("10s")) == ("5000ms", "0m", "100ms")


def test_no_rule_looks_back_or_holds_for_minutes(files: tuple[Artifact, ...]) -> None:
    rules = _text(compress(files), "prometheus/rules/")
    looks = re.findall(r"\[([0-9]+)ms\]", rules)
    assert len(looks) > 100
    assert not re.search(r"\[[0-9]+[smhdw][\]:]", rules)
    assert all(LEAST * 1000 <= int(look) <= MOST * 1000 for look in looks)
    assert set(re.findall(r"\[([0-9]+ms:[0-9]+ms)\]", rules)) == {f"{STEPS * 1000:.0f}ms:1000ms"}
    holds = {f"{number}ms" for number in range(100, 20_000)}
    assert set(re.findall(r"for: (\S+)", rules)) <= {"0m", *holds}


def test_what_is_too_old_is_so_within_seconds_and_what_ends_soon_is_not(
    files: tuple[Artifact, ...],
) -> None:
    rules = _text(compress(files), "prometheus/rules/")
    assert set(re.findall(r"time\(\) - .*\)\) > (?:bool )?([0-9]+)", rules)) <= {f"{YOUNG:g}"}
    days = re.findall(r"- time\(\)\) < ([0-9]+)", rules)
    assert all(int(day) >= DAY for day in days)


def test_nothing_but_times_is_changed(files: tuple[Artifact, ...]) -> None:
    shorter = {file.path: file.text for file in compress(files)}
    assert list(shorter) == [file.path for file in files]
    times = (
        r"\b[0-9]+(ms|s|m|h|d|w)\b",
        r"(?<=\], )[0-9.]+(?=\))",
        r"(?<=\)\) > )[0-9]+|(?<=> bool )[0-9]+",
        r"(?<=startsecs=)[0-9]",
    )
    time = re.compile("|".join(times))
    for file in files:
        text = shorter[file.path].replace(f" {RESEND}", "")
        assert time.sub("T", text) == time.sub("T", file.text), file.path


def test_the_rest_of_the_way_is_short_too(files: tuple[Artifact, ...]) -> None:
    shorter = compress(files)
    routes = _text(shorter, "native/alertmanager.yml")
    assert set(re.findall(r"group_(?:wait|interval): (\S+)", routes)) <= {
        "0s",
        "100ms",
        "250ms",
        "500ms",
        "2500ms",
    }
    assert "--rules.alert.resend-delay=1s" in _text(shorter, "supervisord.conf")
    collectors = _text(shorter, "native/otel-collector-config")
    assert "metric_expiration: 4000ms" in collectors or "metric_expiration" not in collectors
