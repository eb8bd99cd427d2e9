"""An agent's own routing policy, from its parameters."""

import pytest

from loom.errors import ConfigurationError
from loom.runtime.router.policy import Policy, Privacy


def test_parameters_override_the_base_and_leave_the_rest() -> None:
    base = Policy(cost_cap=0.5)
    policy = Policy.from_parameters({"routing.privacy": "local-only", "routing.latency_budget": "1.5"}, base)
    assert policy == Policy(Privacy.LOCAL_ONLY, 1.5, 0.5, base.quality_threshold)


def test_all_wrong_parameters_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Policy.from_parameters(
            {"routing.privacy": "secret", "routing.cost_cap": "-1", "routing.quality_threshold": "1.1"}
        )
    paths = [problem.path for problem in caught.value.problems]
    assert paths == [
        "$.parameters.routing.privacy",
        "$.parameters.routing.cost_cap",
        "$.parameters.routing.quality_threshold",
    ]


@pytest.mark.parametrize("level", Privacy)
def test_a_level_reads_back_as_it_is_spelt(level: Privacy) -> None:
    assert Privacy.parse(level.text) is level
