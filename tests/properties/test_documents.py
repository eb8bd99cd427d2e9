"""Whatever stands in a file or after `--set`: a profile, or a ProfileError; nothing else comes out."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from loom.deploy.profile import load
from loom.deploy.profile.document import parse
from loom.errors import ProfileError


def refuse(act: Callable[[], object]) -> bool:
    """Whether it is refused; a ProfileError without a problem is none."""
    try:
        act()
    except ProfileError as error:
        problems = list(error.problems)
    else:
        return False
    assert problems
    return True


@given(st.text(max_size=200) | st.text("ab:{}[]&*<>!-? \n\t'\"#|%,1", max_size=80))
def test_any_text_is_a_document_or_refused(text: str) -> None:
    refuse(lambda: parse(text, "f"))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_profile_or_refused(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "team.yaml"
        path.write_bytes(data)
        refuse(lambda: load(path))


@given(st.text(max_size=60))
def test_any_override_is_one_or_refused(text: str) -> None:
    refuse(lambda: load("dev", [text]))
