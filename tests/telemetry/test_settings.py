"""Settings from the environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.contract import environment as e
from loom.errors import EnvironmentValueError
from loom.telemetry import Sampling, Settings, from_environ


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = from_environ({})
    assert settings == Settings()
    assert settings.traces_endpoint == "http://localhost:4317"
    assert settings.service_name == "loom-core"
    assert settings.deployment == "development"
    assert settings.sampling == Sampling(1.0)
    assert settings.export_interval == 10.0
    assert settings.protocol == "grpc"


def test_an_empty_value_counts_as_unset() -> None:
    assert from_environ({variable.name: " " for variable in e.ALL}) == Settings()


@pytest.mark.parametrize(
    ("text", "sampling"),
    [
        ("always_on", Sampling(1.0, follow_parent=True)),
        ("always_off", Sampling(0.0, follow_parent=False)),
        ("traceidratio=0.1", Sampling(0.1, follow_parent=True)),
        ("traceidratio=1", Sampling(1.0, follow_parent=True)),
        ("traceidratio=0", Sampling(0.0, follow_parent=True)),
        ("traceidratio=1e-3", Sampling(0.001, follow_parent=True)),
    ],
)
def test_the_documented_sampler_is_understood(text: str, sampling: Sampling) -> None:
    assert from_environ({e.SAMPLER.name: text}).sampling == sampling


@pytest.mark.parametrize(
    ("name", "argument", "sampling"),
    [
        ("always_on", "", Sampling(1.0, follow_parent=False)),
        ("always_off", "", Sampling(0.0, follow_parent=False)),
        ("traceidratio", "0.25", Sampling(0.25, follow_parent=False)),
        ("traceidratio", "", Sampling(1.0, follow_parent=False)),
        ("parentbased_always_on", "", Sampling(1.0, follow_parent=True)),
        ("parentbased_always_off", "", Sampling(0.0, follow_parent=True)),
        ("parentbased_traceidratio", "0.5", Sampling(0.5, follow_parent=True)),
        ("always_on", "nonsense that is not used", Sampling(1.0, follow_parent=False)),
    ],
)
def test_the_standard_sampler_wins_over_the_documented_one(
    name: str, argument: str, sampling: Sampling
) -> None:
    environ = {
        e.SAMPLER.name: "traceidratio=0.75",
        e.STANDARD_SAMPLER.name: name,
        e.STANDARD_SAMPLER_ARG.name: argument,
    }
    assert from_environ(environ).sampling == sampling


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (e.SAMPLER.name, "traceidratio"),
        (e.SAMPLER.name, "traceidratio="),
        (e.SAMPLER.name, "traceidratio=1.1"),
        (e.SAMPLER.name, "traceidratio=-0.1"),
        (e.SAMPLER.name, "traceidratio=nan"),
        (e.SAMPLER.name, "traceidratio=inf"),
        (e.SAMPLER.name, "traceidratio=1_0"),
        (e.SAMPLER.name, "traceidratio=0,1"),
        (e.SAMPLER.name, "always"),
        (e.SAMPLER.name, "ALWAYS_ON"),
        (e.STANDARD_SAMPLER.name, "jaeger_remote"),
        (e.STANDARD_SAMPLER.name, "parentbased_"),
        (e.ENDPOINT.name, "localhost:4317"),
        (e.ENDPOINT.name, "grpc://localhost:4317"),
        (e.ENDPOINT.name, "http://"),
        (e.ENDPOINT.name, "http://localhost:99999"),
        (e.ENDPOINT.name, "http://localhost:port"),
        (e.EXPORT_INTERVAL.name, "0"),
        (e.EXPORT_INTERVAL.name, "-1"),
        (e.EXPORT_INTERVAL.name, "10s"),
        (e.EXPORT_INTERVAL.name, "1.5"),
        (e.RESOURCE_ATTRIBUTES.name, "team"),
        (e.RESOURCE_ATTRIBUTES.name, "=platform"),
        (e.CAPTURE_CONTENT.name, "yes"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ("OTEL_SDK_DISABLED", "1"),
    ],
)
def test_a_malformed_value_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(EnvironmentValueError) as refused:
        from_environ({name: value})
    assert len(refused.value.problems) == 1
    assert name in refused.value.problems[0].message
    assert repr(value) in refused.value.problems[0].message


def test_a_malformed_ratio_is_refused_by_the_name_of_the_argument() -> None:
    environ = {e.STANDARD_SAMPLER.name: "traceidratio", e.STANDARD_SAMPLER_ARG.name: "half"}
    with pytest.raises(EnvironmentValueError, match=e.STANDARD_SAMPLER_ARG.name):
        from_environ(environ)


def test_all_problems_are_told_at_once() -> None:
    environ = {
        e.ENDPOINT.name: "nowhere",
        e.SAMPLER.name: "sometimes",
        e.STANDARD_SAMPLER.name: "parentbased_always_on",
        e.EXPORT_INTERVAL.name: "soon",
        e.RESOURCE_ATTRIBUTES.name: "a,b=c",
    }
    with pytest.raises(EnvironmentValueError) as refused:
        from_environ(environ)
    assert len(refused.value.problems) == 4


def test_an_endpoint_without_scheme_is_refused_with_a_hint() -> None:
    with pytest.raises(EnvironmentValueError, match="did you mean 'http://localhost:4317'"):
        from_environ({e.ENDPOINT.name: "localhost:4317"})


def test_resource_attributes_fill_in_what_no_variable_says() -> None:
    given_attributes = "service.name=planner,deployment.environment.name=staging,team=a%20b"
    settings = from_environ({e.RESOURCE_ATTRIBUTES.name: given_attributes})
    assert (settings.service_name, settings.deployment) == ("planner", "staging")
    assert settings.resource == {"team": "a b"}
    winning = from_environ(
        {e.RESOURCE_ATTRIBUTES.name: given_attributes, e.SERVICE_NAME.name: "x", e.ENVIRONMENT.name: "y"}
    )
    assert (winning.service_name, winning.deployment) == ("x", "y")


def test_over_http_the_signal_path_is_added_to_the_common_endpoint_only() -> None:
    settings = from_environ(
        {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            e.ENDPOINT.name: "http://collector:4318/",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://metrics:1/own",
        }
    )
    assert settings.traces_endpoint == "http://collector:4318/v1/traces"
    assert settings.metrics_endpoint == "http://metrics:1/own"


@given(st.dictionaries(st.sampled_from([variable.name for variable in e.ALL]), st.text(max_size=30)))
def test_any_environment_is_either_understood_or_refused_by_name(environ: dict[str, str]) -> None:
    try:
        settings = from_environ(environ)
    except EnvironmentValueError as error:
        unnamed = [p for p in error.problems if not any(name in p.message for name in environ)]
        if unnamed:
            raise AssertionError(unnamed) from error
    else:
        assert 0 <= settings.sampling.ratio <= 1
        assert settings.export_interval > 0
