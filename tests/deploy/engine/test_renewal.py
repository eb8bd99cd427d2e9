"""Who is told to read renewed credentials."""

from pathlib import Path

import pytest

from loom.deploy.engine import Deployment, FakeEngine, Home, NativeEngine, renewal
from loom.deploy.plan import derive
from loom.deploy.profile import load


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(renewal, "named", lambda _: fake)
    return fake


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "prod")
    home.make()
    return home


def test_nobody_is_told_where_nothing_runs(engine: FakeEngine, home: Home) -> None:
    assert renewal.reread(home.rendered) == ()
    assert engine.signals == []


def test_only_the_proxy_has_to_be_told_of_files_of_its_own(engine: FakeEngine, home: Home) -> None:
    Deployment(home, engine.name, derive(load("prod"))).save()
    assert renewal.reread(home.rendered) == ("proxy",)
    assert engine.signals == [("proxy", "USR1")]


def test_the_collector_has_to_be_told_whom_it_trusts(engine: FakeEngine, home: Home) -> None:
    Deployment(home, engine.name, derive(load("prod"))).save()
    assert set(renewal.reread(home.rendered, authorities=True)) == {"proxy", "otel-collector"}
    assert ("otel-collector", "HUP") in engine.signals


def test_grafana_which_reads_at_its_start_is_restarted_where_it_got_something_new(
    engine: FakeEngine, home: Home
) -> None:
    Deployment(home, engine.name, derive(load("prod"))).save()
    assert renewal.reread(home.rendered, {"prometheus"}) == ("proxy",)
    assert set(renewal.reread(home.rendered, {"prometheus", "grafana"})) == {"grafana", "proxy"}
    assert ("grafana", "restart") in engine.signals
    engine.away.add("grafana")  # as with the native engine
    assert renewal.reread(home.rendered, {"grafana"}) == ("proxy",)


def test_what_is_plain_has_nobody_to_tell(engine: FakeEngine, home: Home) -> None:
    Deployment(home, engine.name, derive(load("dev"))).save()
    assert renewal.reread(home.rendered) == ()


def test_only_those_that_were_reached_count_as_told(engine: FakeEngine, home: Home) -> None:
    Deployment(home, engine.name, derive(load("prod"))).save()
    engine.away.add("proxy")
    assert renewal.reread(home.rendered, authorities=True) == ("otel-collector",)


def test_a_record_that_outlived_its_processes_has_nobody_to_tell(home: Home) -> None:
    deployment = Deployment(home, NativeEngine.name, derive(load("prod")))
    deployment.save()  # as after a reboot
    assert not NativeEngine().signal(deployment, "proxy", "USR1")
    assert renewal.reread(home.rendered) == ()
