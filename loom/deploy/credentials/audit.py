"""Whether every secret is there, for its owner only, and known to the servers."""

from loom.deploy.credentials import address, ownership, password, roster
from loom.deploy.credentials.keeping import DERIVED, derived, tokens, values
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import PASSWORD, Kind, Secret, secrets
from loom.deploy.plan.model import Plan
from loom.errors import Problem

_INIT = "run: loom-deploy secrets init"


def problems(plan: Plan, vault: Vault) -> tuple[Problem, ...]:
    """All that is wrong; nothing is written. No problem says anything of a content."""
    found = values(plan, vault)
    wrong: list[Problem] = []
    for one in secrets(plan):
        place = vault.file(one.holder, one.file)
        if (one.holder, one.file) not in found:
            wrong.append(Problem("is missing", str(place), hint=remedy(one)))
            continue
        wrong += ownership.modes(place)
        if address.exposed(plan, one, found[one.holder, one.file]):
            wrong.append(Problem("is an address that is called in plain text", str(place), hint=address.HINT))
        if one.kind in DERIVED and derived(plan, one, found) != found[one.holder, one.file]:
            wrong.append(Problem(_out_of_date(one, found), str(place), hint=_INIT))
    if len(set(tokens(secrets(plan), found).values())) > 1:
        hint = "take the right one: loom-deploy secrets set HOLDER token < FILE"
        wrong.append(Problem("holders of the token hold different ones", str(vault.folder), hint=hint))
    return tuple(wrong)


def remedy(one: Secret) -> str:
    """What brings a missing secret."""
    return f"loom-deploy secrets set {one.holder} {one.file} < FILE" if one.kind is Kind.GIVEN else _INIT


def _out_of_date(one: Secret, found: dict[tuple[str, str], str]) -> str:
    known = roster.known(one.kind, found[one.holder, one.file])
    callers = [
        caller
        for caller in one.callers
        if not password.matches(found.get((caller, PASSWORD), "").strip(), known.get(caller, ""))
    ]
    strangers = sorted(set(known) - set(one.callers))
    said = [f"does not know the password of {', '.join(callers)}"] if callers else []
    said += [f"knows {', '.join(strangers)}, who call it no more"] if strangers else []
    return " and ".join(said) or "is not as it would be written"
