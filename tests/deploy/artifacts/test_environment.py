"""The `.env` file."""

from typing import Any

from loom.contract import environment as variables
from loom.deploy.artifacts import environment, parse
from loom.deploy.plan import Plan


def test_the_documented_variables_have_the_values_of_the_profile(plan: Plan) -> None:
    found: Any = parse(environment.artifacts(plan)[0])
    documented = (variables.ENDPOINT, variables.SERVICE_NAME, variables.SAMPLER, variables.ENVIRONMENT)
    assert {variable.name for variable in documented} <= set(found)
    assert found[variables.SAMPLER.name] == str(plan.profile.tracing.sampler)
    assert found[variables.ENVIRONMENT.name] == plan.profile.environment
    assert found[variables.ENDPOINT.name].endswith(":4317")


def test_every_variable_is_one_that_loom_reads(plan: Plan) -> None:
    found: Any = parse(environment.artifacts(plan)[0])
    assert set(found) <= {variable.name for variable in variables.ALL}
