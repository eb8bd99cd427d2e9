"""A plan of production, a vault of its own, and clocks and hashes that cost nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loom.deploy import api
from loom.deploy.credentials import password
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.issue import create
from loom.deploy.credentials.vault import Vault, prepare
from loom.deploy.plan.model import Plan


@pytest.fixture(scope="session")
def prod() -> Plan:
    return api.load_plan("prod")


@pytest.fixture
def plan(prod: Plan) -> Plan:
    return prod


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "ROUNDS", 4)


@pytest.fixture
def rendered(tmp_path: Path) -> Path:
    return tmp_path / "rendered"


@pytest.fixture
def vault(rendered: Path) -> Vault:
    return prepare(rendered)


@pytest.fixture
def created(plan: Plan, vault: Vault) -> Vault:
    create(plan, vault, Order())
    return vault


@pytest.fixture
def later() -> Callable[[int], datetime]:
    """So many days from now."""
    return lambda days: datetime.now(UTC) + timedelta(days=days)


@pytest.fixture
def variant(tmp_path: Path) -> Callable[[str], Plan]:
    """Production with some lines of YAML in place of its own."""

    def load(text: str) -> Plan:
        file = tmp_path / "variant.yaml"
        file.write_text(f"extends: prod\nname: variant\n{text}\n")
        return api.load_plan(file)

    return load
