"""What a Loom process shows to the collector, and whom it trusts there: names of files, never a content."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loom.contract import environment as contract
from loom.contract.environment import Otlp, Variable
from loom.deploy.artifacts.environment import credentials
from loom.deploy.doctor.environment import value
from loom.deploy.plan.edges import LOOM
from loom.deploy.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Papers:
    """Each empty where there is none."""

    authority: str = ""
    """Whom it trusts; the machine's own authorities when empty."""
    certificate: str = ""
    key: str = ""
    token: str = ""


def of_environment(environ: Mapping[str, str], origin: str) -> Papers:
    """What the environment says, for the endpoint that the variable `origin` gives: a signal's own win."""
    own = next((each for each in (contract.TRACES, contract.METRICS) if each.endpoint.name == origin), None)

    def said(name: str) -> str:
        narrow = value(environ, _variable(own, name).name) if own else ""
        return narrow or value(environ, _variable(contract.OTLP, name).name)

    token = value(environ, contract.TOKEN_FILE.name)
    return Papers(said("certificate"), said("client_certificate"), said("client_key"), token)


def of_deployment(plan: Plan, secrets: Path) -> Papers:
    """What a deployment, whose credentials lie below `secrets`, holds ready for Loom."""
    held = {variable.name: text for variable, text in credentials(plan, LOOM, str(secrets / LOOM)).items()}
    named = (contract.CERTIFICATE, contract.CLIENT_CERTIFICATE, contract.CLIENT_KEY, contract.TOKEN_FILE)
    return Papers(*(held.get(variable.name, "") for variable in named))


def _variable(of: Otlp, name: str) -> Variable:
    found: Variable = getattr(of, name)
    return found
