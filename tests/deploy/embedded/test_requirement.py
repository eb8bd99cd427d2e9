"""What `--require` says."""

import pytest

from loom.contract import metrics, scopes, spans
from loom.contract.coverage import RARE
from loom.deploy.embedded import require
from loom.deploy.embedded.requirement import EVERYTHING, Need
from loom.errors import InputError


def test_nothing_said_means_everything_but_what_only_a_spent_budget_brings() -> None:
    assert require([]) == require(["all"]) == EVERYTHING
    needs = {metric: EVERYTHING.of(metric, ()) for metric in metrics.ALL}
    assert {metric for metric, need in needs.items() if need is not Need.COMPLETE} == set(RARE)


def test_scopes_metrics_and_spans_can_be_named_one_by_one_or_separated_by_commas() -> None:
    metric, span = metrics.router.CONFIDENCE, spans.agent.RUN
    wanted = require([f"{scopes.EVENT_BUS},{metric.name}", span.key])
    assert wanted.of(metrics.event_bus.PUBLISHED, ()) is Need.COMPLETE
    assert wanted.of(metric, ()) is Need.PRESENT
    assert wanted.of(span, ()) is Need.PRESENT
    assert wanted.of(metrics.router.DECISIONS, ()) is Need.NOTHING
    assert wanted.of(spans.agent.ROUTE_EVENT, ()) is Need.NOTHING


def test_every_name_that_the_contract_does_not_have_is_refused_at_once() -> None:
    with pytest.raises(InputError) as refused:
        require(["loom.event_buss", "nonsense,emitted"])
    assert [problem.hint for problem in refused.value.problems] == ["did you mean 'loom.event_bus'?", ""]
