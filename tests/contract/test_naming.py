"""Series names, and what is promised about them whatever the rule."""

import pytest

from loom.contract.metric import Kind
from loom.contract.metrics import ALL
from loom.contract.naming import Naming, Style
from loom.contract.series import Part

NAMINGS = [Naming(style, namespace) for style in Style for namespace in ("", "loom")]


@pytest.mark.parametrize("naming", NAMINGS, ids=str)
def test_no_two_metrics_share_a_series(naming: Naming) -> None:
    names = [series.name for metric in ALL for series in naming.all_series(metric)]
    assert len(names) == len(set(names))


def test_the_documented_name_is_the_instrument_with_underscores() -> None:
    for metric in ALL:
        assert Naming().base(metric) == metric.name.replace(".", "_")


def test_the_ecosystems_names_end_with_unit_and_total() -> None:
    naming = Naming(Style.PROMETHEUS)
    for metric in ALL:
        name = naming.base(metric)
        assert name.endswith("_total") == (metric.kind is Kind.COUNTER), name
        assert ("_seconds" in name) == (metric.unit == "s"), name
        assert "total_total" not in name


def test_a_namespace_is_put_in_front_of_every_series() -> None:
    for metric in ALL:
        assert Naming(namespace="loom").base(metric) == f"loom_{Naming().base(metric)}"


def test_a_part_that_a_metric_does_not_have_is_refused() -> None:
    for metric in ALL:
        part = Part.VALUE if metric.kind is Kind.HISTOGRAM else Part.BUCKET
        with pytest.raises(ValueError, match=r"has no \w+ series"):
            Naming().series(metric, part)


@pytest.mark.parametrize(
    ("namespace", "moved"), [("loom", False), ("my_shop2", False), ("total", True), ("my_seconds", True)]
)
def test_a_translator_that_is_pushed_to_takes_suffixes_out_of_a_namespace(
    namespace: str,
    moved: bool,  # noqa: FBT001 - a case
) -> None:
    suffixed, plain = Naming(Style.PROMETHEUS, namespace), Naming(Style.DOCUMENTED, namespace)
    assert any(suffixed.joined(metric) != suffixed.base(metric) for metric in ALL) == moved
    assert all(plain.joined(metric) == plain.base(metric) for metric in ALL)
