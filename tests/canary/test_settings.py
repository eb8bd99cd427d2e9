"""The environment of the canary: everything that is wrong is told at once, by the name of its variable."""

from collections.abc import Callable
from typing import Any

import pytest

from loom.canary import from_environ
from loom.canary.certificates import ports
from loom.canary.settings import Address
from loom.contract import canary, environment
from loom.errors import EnvironmentValueError
from loom.telemetry import Sampling

STORES = {canary.PROMETHEUS.name: "http://localhost:9090", canary.JAEGER.name: "https://localhost:16686/"}


def problems(environ: dict[str, str]) -> str:
    with pytest.raises(EnvironmentValueError) as refused:
        from_environ(environ)
    return str(refused.value)


def test_every_round_is_kept_under_its_own_name_whatever_the_environment_says() -> None:
    inherited = {environment.SAMPLER.name: "traceidratio=0.1", environment.SERVICE_NAME.name: "loom-core"}
    settings = from_environ({**STORES, **inherited}).telemetry
    assert settings.sampling == Sampling(1.0, follow_parent=False)
    assert settings.service_name == canary.SERVICE


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = from_environ(STORES)
    assert f"{settings.interval:g}" == canary.INTERVAL.default
    assert settings.patience == settings.interval
    assert f"{settings.listen.host}:{settings.listen.port}" == canary.LISTEN.default
    assert settings.series.name == "loom_canary_sent_timestamp"
    assert settings.folder is None


def test_a_sampler_that_waits_is_given_its_time() -> None:
    settings = from_environ({**STORES, canary.INTERVAL.name: "30", canary.PATIENCE.name: "90"})
    assert (settings.interval, settings.patience) == (30, 90)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (canary.INTERVAL, "1m"),
        (canary.INTERVAL, "0"),
        (canary.INTERVAL, "nan"),
        (canary.PATIENCE, "inf"),
        (canary.LISTEN, "9469"),
        (canary.LISTEN, "localhost:99999"),
        (canary.PROMETHEUS, ""),
        (canary.PROMETHEUS, "prometheus:9090"),
        (canary.JAEGER, "http://localhost:port"),
        (canary.WATCH, "grafana:3000"),
        (canary.WATCH, "grafana=grafana"),
        (canary.CREDENTIALS, "/nowhere"),
    ],
)
def test_a_malformed_value_is_refused_by_the_name_of_its_variable(
    variable: environment.Variable, value: str
) -> None:
    assert variable.name in problems({**STORES, variable.name: value})


def test_all_problems_are_told_at_once_those_of_the_ingress_too() -> None:
    told = problems({environment.ENDPOINT.name: "nowhere", canary.INTERVAL.name: "soon"})
    for variable in (environment.ENDPOINT, canary.INTERVAL, canary.PROMETHEUS, canary.JAEGER):
        assert variable.name in told


def test_a_canary_without_telemetry_is_refused() -> None:
    assert environment.DISABLED.name in problems({**STORES, environment.DISABLED.name: "true"})


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    told = problems({**STORES, canary.PROMETHEUS.name: "https://canary:hunter2@localhost:9090"})
    assert canary.PROMETHEUS.name in told
    assert "hunter2" not in told


def test_a_folder_with_a_torn_file_is_refused_by_its_name(authority: Callable[[str], Any]) -> None:
    home = authority("a").issue("canary")
    (home / "key.pem").write_text("hunter2")
    told = problems({**STORES, canary.CREDENTIALS.name: str(home)})
    assert str(home / "key.pem") in told
    assert "hunter2" not in told


def test_the_ports_to_look_at_are_the_encrypted_ones_and_those_of_the_list() -> None:
    watch = {canary.WATCH.name: "alertmanager:9093=alertmanager, [::1]:8889=exporter"}
    found = ports(from_environ({**STORES, **watch, environment.ENDPOINT.name: "https://collector:4317"}))
    assert found == {
        "collector": Address("collector", 4317),
        "jaeger": Address("localhost", 16686),
        "alertmanager": Address("alertmanager", 9093),
        "exporter": Address("::1", 8889),
    }
