"""The alert drill, by its command: real causes on the real programs of prod, over TLS, to a real receiver.

The short form is some alerts of every kind of cause; with LOOM_FIRE=long it is every alert.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LONG = os.environ.get("LOOM_FIRE") == "long"
SHORT = (
    "LoomTelemetryAbsent",
    "LoomInvokeSuccessBudgetBurnFast",
    "LoomInvokeSuccessBudgetBurnSlow",
    "LoomBacklogGrowing",
    "LoomMcpServerDown",
    "LoomSpansLost",
    "PipelineTargetDown",
    "CollectorQueueNearlyFull",
    "CollectorDroppingData",
    "CollectorRefusingData",
    "CollectorOutOfMemory",
    "CanaryMissing",
    "CertificateExpiring",
    "PrometheusRuleFailures",
    "AlertmanagerNotificationsFailing",
    "PrometheusNotificationsDropped",
    "Watchdog",
)
SECONDS = 1700
"""The drill has its own patience for each of its stages, and makes a cause a second time."""


@pytest.mark.smoke
@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 50)
def test_each_alert_is_provoked_by_its_cause_arrives_and_resolves(tmp_path: Path) -> None:
    chosen = [] if LONG else [part for name in SHORT for part in ("--alert", name)]
    done = subprocess.run(
        [sys.executable, "-m", "loom.cli", "drill", "--profile", "prod", *chosen],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    print(done.stdout)  # noqa: T201 - the table, shown by pytest -s
    assert done.returncode == 0, done.stdout + done.stderr
    for name in chosen[1::2]:
        assert f"{name}: " in done.stdout
    assert list((tmp_path / "loom-deploy").glob("*")) == []  # nothing is left
