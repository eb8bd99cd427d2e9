"""Commands in hints: complete, so that they can be pasted."""

from pathlib import Path

import pytest

from loom.deploy import api
from loom.deploy.credentials import advice
from loom.deploy.credentials.access import access
from loom.errors import EngineError, InputError, Problem


def test_the_options_are_those_that_were_given_and_quoted() -> None:
    assert advice.selection("prod") == "--profile prod"
    assert advice.selection("prod", "prod") == "--profile prod"
    assert advice.selection("./my site.yaml", "other", ("ports.offset=1",)) == (
        "--profile './my site.yaml' --set ports.offset=1 --name other"
    )
    assert advice.selection("prod", output=Path("site")) == "--profile prod --output site"


@pytest.mark.parametrize(
    ("hint", "whole"),
    [
        ("run: loom-deploy certs create", "run: loom-deploy certs create -x"),
        ("take `loom-deploy certs create --force`", "take `loom-deploy certs create -x --force`"),
        ("loom-deploy secrets set a b < FILE", "loom-deploy secrets set -x a b < FILE"),
        ("run: loom-deploy up", "run: loom-deploy up"),
        ("", ""),
    ],
)
def test_only_commands_about_credentials_are_completed(hint: str, whole: str) -> None:
    assert advice.complete(hint, "-x") == whole


def test_an_error_keeps_its_class_and_all_of_its_problems() -> None:
    with pytest.raises(InputError) as caught, advice.advised("-x"):
        raise InputError(Problem("one", "f", hint="loom-deploy certs check"), "two")
    assert caught.value.problems == (Problem("one", "f", hint="loom-deploy certs check -x"), Problem("two"))


def test_whoever_cannot_show_a_certificate_is_told_the_command_of_that_deployment(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="`loom-deploy certs create --profile prod --name other`"):
        access(api.load_plan("prod"), tmp_path, "other").context()
