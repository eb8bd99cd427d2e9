"""Names of tools and their aliases."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loom.runtime.orchestrator.names import LONGEST, Names, decode, encode, shorten

ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Names of the kind that collide: made of the very characters that aliases are made of.
TRICKY = st.text("ab_-:5fh.é/ \U0001f600", max_size=90)
ANYTHING = TRICKY | st.text(max_size=90)


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("read_file", "read_file"),
        ("filesystem:read_file", "filesystem__read_file"),
        ("weather.get", "weather_-2e-get"),
        ("brave-search:web", "brave-search__web"),
        ("a__b", "a_-5f-_b"),
        ("a_:b", "a_-5f-__b"),
    ],
)
def test_an_alias_can_be_read_by_people(name: str, alias: str) -> None:
    assert encode(name) == alias
    assert decode(alias) == name


@given(ANYTHING)
@example("_-h0123456789ab")
@example("_")
@example("\ud800")
def test_decoding_an_alias_gives_the_name_back(name: str) -> None:
    assert decode(encode(name)) == name


@given(st.text("ab_-5f0", max_size=12))
def test_what_decodes_is_exactly_what_encode_makes(alias: str) -> None:
    try:
        name = decode(alias)
    except ValueError:
        return
    assert encode(name) == alias


@given(st.lists(ANYTHING, unique=True, max_size=20))
@example(["a:b", "a__b", "a_-3a-b", "a_-5f-_b"])
@example(["x" * 70, "x" * 71, "x" * 49 + "_-h" + "0" * 12])
@example(["", "_-h"])
def test_every_tool_of_a_run_has_an_alias_of_its_own_that_leads_back_to_it(names: list[str]) -> None:
    table = Names(names)
    aliases = [table.alias(name) for name in names]
    assert all(ALLOWED.fullmatch(alias) for alias in aliases)
    assert len(set(aliases)) == len(names)
    assert [table.name(alias) for alias in aliases] == names


@given(st.lists(ANYTHING, unique=True, min_size=1, max_size=8), st.randoms())
def test_the_order_of_the_tools_does_not_matter(names: list[str], random: object) -> None:
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's own Random
    first, second = Names(names), Names(shuffled)
    assert [first.alias(name) for name in names] == [second.alias(name) for name in names]


@given(st.text("ab_-:", min_size=65, max_size=120), ANYTHING)
def test_a_shortened_alias_is_no_other_names_alias(long: str, other: str) -> None:
    alias = shorten(long)
    assert len(alias) <= LONGEST
    assert encode(other) != alias
    with pytest.raises(ValueError, match="not an alias"):
        decode(alias)


def test_a_model_that_writes_the_real_name_is_understood() -> None:
    table = Names(["filesystem:read_file"])
    assert table.name("filesystem:read_file") == "filesystem:read_file"
    assert table.name("filesystem__write_file") is None


def test_an_alias_wins_over_a_real_name_that_looks_like_it() -> None:
    table = Names(["a:b", "a__b"])
    assert table.name("a__b") == "a:b"
    assert table.name(table.alias("a__b")) == "a__b"
