"""What the environment says about the model."""

import pytest

from loom.errors import ConfigurationError, EnvironmentValueError
from loom.runtime.orchestrator import ModelSettings, Options, from_environ

KEY = "sk-canary-1234"


def test_an_environment_without_a_model_has_none() -> None:
    assert from_environ({}) is None
    assert from_environ({"LOOM_MODEL": " ", "LOOM_MODEL_API_KEY": ""}) is None


def test_a_model_alone_is_looked_for_on_this_machine() -> None:
    assert from_environ({"LOOM_MODEL": "small"}) == ModelSettings("small", "http://localhost:8000/v1")


def test_every_variable_is_read() -> None:
    settings = from_environ(
        {
            "LOOM_MODEL": "m",
            "LOOM_MODEL_BASE_URL": "https://models.example/v1",
            "LOOM_MODEL_API_KEY": KEY,
            "LOOM_MODEL_PROVIDER": "example",
        }
    )
    assert settings == ModelSettings("m", "https://models.example/v1", KEY, "example")


def test_the_key_is_in_no_repr() -> None:
    assert KEY not in repr(ModelSettings("m", api_key=KEY))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LOOM_MODEL_BASE_URL", "localhost:8000"),
        ("LOOM_MODEL_BASE_URL", "ftp://models.example/v1"),
        ("LOOM_MODEL_BASE_URL", "http://models.example:notaport/v1"),
        ("LOOM_MODEL_BASE_URL", "http://models.example:70000/v1"),
        ("LOOM_MODEL_BASE_URL", "http://"),
        ("LOOM_MODEL_BASE_URL", "http://[::1/v1"),
        ("LOOM_MODEL_BASE_URL", "http://models.example/v1?key=1"),
        ("LOOM_MODEL_BASE_URL", "http://mod els.example/v1"),
        ("LOOM_MODEL_API_KEY", "two\nlines"),
        ("LOOM_MODEL_API_KEY", "schlüssel"),
        ("LOOM_MODEL", "a\x00b"),
    ],
)
def test_a_malformed_value_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(EnvironmentValueError) as caught:
        from_environ({"LOOM_MODEL": "m", variable: value})
    (problem,) = caught.value.problems
    assert problem.path == variable
    assert problem.message.startswith(variable)
    assert problem.hint


def test_a_missing_model_is_said_when_anything_else_is_set() -> None:
    with pytest.raises(EnvironmentValueError, match="LOOM_MODEL is not set"):
        from_environ({"LOOM_MODEL_API_KEY": KEY})


def test_neither_a_key_nor_a_password_in_the_url_is_repeated() -> None:
    with pytest.raises(EnvironmentValueError) as caught:
        from_environ(
            {"LOOM_MODEL_BASE_URL": f"http://user:{KEY}@host/v1", "LOOM_MODEL_API_KEY": f"{KEY} {KEY}"}
        )
    assert len(caught.value.problems) == 3
    assert KEY not in str(caught.value)


def test_options_that_make_no_sense_are_all_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Options(tool_choice="maybe", deadline=0, call_timeout=float("nan"), max_rounds=0, parallelism=True)  # type: ignore[arg-type]  # on purpose
    assert {problem.path for problem in caught.value.problems} == {
        f"$.orchestrator.{name}"
        for name in ("tool_choice", "deadline", "call_timeout", "max_rounds", "parallelism")
    }
