"""What a person reads when an alert fires: filled in by the real promtool, from the firing cases."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loom.deploy.artifacts import parse, rules
from loom.deploy.plan import Plan
from loom.deploy.programs import PROMTOOL
from loom.deploy.toolchain import require


@pytest.mark.smoke
@pytest.mark.slow
def test_every_firing_alert_fills_in_its_texts(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("prod")
    files = rules.artifacts(plan)
    for file in files:
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_text(file.text)
    texts: dict[str, str] = {}
    for file in files:
        if file.path.startswith("prometheus/tests/"):
            found: Any = parse(file)
            texts |= _shown(found, tmp_path / file.path)
    # The heartbeat has no firing case of its own: it fires in all.
    assert set(texts) == {alert.name for alert in rules.alerts(plan)} - {"Watchdog"}
    for name, text in texts.items():
        assert "<no value>" not in text, name
        assert "<error" not in text, name
        assert "{{" not in text, name
        assert "NaN" not in text, name


def _shown(test: dict[str, Any], file: Path) -> dict[str, str]:
    """Alert → its annotations, by telling promtool to expect no alert where one fires."""
    cases = [case for case in test["tests"] if " fires: " in case["name"]]
    for case in cases:
        asked = next(one for one in case.pop("promql_expr_test") if one["exp_samples"])
        name = case["name"].partition(" ")[0]
        case["alert_rule_test"] = [{"eval_time": asked["eval_time"], "alertname": name, "exp_alerts": []}]
    file.write_text(json.dumps({**test, "tests": cases}))
    command = [str(require(PROMTOOL)[PROMTOOL.name]), "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    shown = re.findall(
        r'Labels:\{[^}]*?\balertname="(\w+)".*?Annotations:(\{.*?\})\s*\]?$',
        done.stdout + done.stderr,
        re.MULTILINE | re.DOTALL,
    )
    return dict(shown)
