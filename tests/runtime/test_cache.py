"""The cache of results, and versions."""

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.runtime import Result, Status
from loom.runtime.cache import ResultCache
from loom.runtime.version import choose, sort_key

OPERATION = st.tuples(st.sampled_from(["get", "put", "fail", "wait"]), st.integers(0, 5))


@given(st.lists(OPERATION, max_size=60), st.integers(0, 3))
def test_the_cache_holds_the_latest_successes_until_they_expire(
    operations: list[tuple[str, int]], size: int
) -> None:
    now = 0.0
    cache = ResultCache(size, 10, lambda: now)
    model: OrderedDict[int, float] = OrderedDict()
    for operation, number in operations:
        key = ("capability", str(number))
        if operation == "wait":
            now += number
        elif operation == "put":
            cache.put(key, "1.0.0", Result(Status.OK, number))
            model[number] = now + 10
            model.move_to_end(number)
            while len(model) > size:
                model.popitem(last=False)
        elif operation == "fail":
            cache.put(("failed", str(number)), "1.0.0", Result.failed("X"))
            assert cache.get(("failed", str(number))) is None
        else:
            if model.get(number, 0) <= now:
                model.pop(number, None)
            expected = ("1.0.0", Result(Status.OK, number)) if number in model else None
            assert cache.get(key) == expected
            if number in model:
                model.move_to_end(number)
        assert len(cache) <= size


def test_what_expired_is_not_held_until_room_is_needed() -> None:
    now = 0.0
    cache = ResultCache(1000, 10, lambda: now)
    for number in range(100):
        cache.put(("capability", str(number)), "1.0.0", Result(Status.OK, number))
    now = 9.0
    cache.put(("capability", "late"), "1.0.0", Result(Status.OK))
    assert len(cache) == 101
    now = 10.0
    cache.put(("capability", "failed"), "1.0.0", Result.failed("X"))
    assert len(cache) == 1
    assert cache.get(("capability", "late")) is not None


VERSION = st.one_of(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)).map(lambda v: ".".join(map(str, v))),
    st.tuples(st.integers(0, 3), st.sampled_from(["rc.1", "rc.2", "beta"])).map(
        lambda v: f"{v[0]}.0.0-{v[1]}"
    ),
    st.sampled_from(["latest", "2024-05", ""]),
)


@given(st.lists(VERSION, unique=True), VERSION)
def test_a_version_that_is_there_is_always_found_by_its_name(versions: list[str], version: str) -> None:
    assert choose(version, [*versions, version]) == version


@given(st.lists(VERSION, unique=True, min_size=1))
def test_without_a_wish_the_highest_release_is_chosen(versions: list[str]) -> None:
    chosen = choose("", [version for version in versions if version])
    releases = [v for v in versions if v and "-" not in v and v[0].isdigit()]
    if releases:
        assert chosen == max(releases, key=lambda v: [int(part) for part in v.split(".")])


@pytest.mark.parametrize(
    ("wanted", "versions", "chosen"),
    [
        ("^1.2", ["1.1.9", "1.2.0", "1.9.0", "2.0.0"], "1.9.0"),
        ("^0.2", ["0.2.5", "0.3.0"], "0.2.5"),
        ("^2", ["1.0.0"], None),
        ("1.2.3", ["1.2.4"], None),
        ("1", ["1.0.0-rc.1"], "1.0.0-rc.1"),
        ("1", ["1.0.0-rc.1", "1.0.0"], "1.0.0"),
        ("", ["1.0.0-rc.2", "1.0.0-rc.10"], "1.0.0-rc.10"),
        ("next", ["1.0.0"], None),
        ("", [], None),
        ("1.10", ["1.9.0", "1.10.1", "1.10.0"], "1.10.1"),
    ],
)
def test_versions_are_compared_as_semantic_versioning_says(
    wanted: str, versions: list[str], chosen: str | None
) -> None:
    assert choose(wanted, versions) == chosen
    assert choose(wanted, sorted(versions, key=sort_key)) == chosen
