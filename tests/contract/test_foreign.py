"""Foreign telemetry is listed once, and is nobody's of ours."""

from loom.contract import foreign, spans
from loom.contract.metrics import ALL
from loom.contract.naming import Naming
from loom.contract.series import Series


def test_every_foreign_series_is_listed_once_and_none_is_ours() -> None:
    listed = [series.name for series in foreign.ALL]
    assert len(listed) == len(set(listed))
    ours = {series.name for metric in ALL for series in Naming().all_series(metric)}
    assert not ours & set(listed)


def test_no_series_of_the_module_is_left_out_of_its_lists() -> None:
    defined = {value.name for value in vars(foreign).values() if isinstance(value, Series)}
    assert defined == {series.name for series in foreign.ALL}


def test_the_more_specific_span_comes_first() -> None:
    prefixes = [span.prefix for span in foreign.SPANS]
    for index, prefix in enumerate(prefixes):
        assert not any(prefix.startswith(earlier) for earlier in prefixes[:index])


def test_a_foreign_span_is_never_taken_for_one_of_ours() -> None:
    for foreign_span in foreign.SPANS:
        operation = f"{foreign_span.prefix}search"
        assert not any(span.matches(operation) for span in spans.ALL)
