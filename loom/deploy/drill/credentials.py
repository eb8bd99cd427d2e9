"""What a drill's own deployment needs to be let in: certificates, passwords, and the receiver's address."""

from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.issue import create
from loom.deploy.credentials.keeping import initialise
from loom.deploy.credentials.vault import prepare
from loom.deploy.drill.receiver import Receiver
from loom.deploy.engine import Home
from loom.deploy.plan.identity import identities
from loom.deploy.plan.model import Plan, Service


def credentials(plan: Plan, home: Home, receiver: Receiver) -> None:
    """Make everything that the plan's parties need; every receiver of alerts is ours."""
    vault = prepare(home.rendered)
    for name in plan.profile.alerting.secrets:
        file = vault.file(Service.ALERTMANAGER, name)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(receiver.url(name))
    if identities(plan):
        create(plan, vault, Order())
    initialise(plan, vault)
