"""A deployment's secrets on the disk: made once and kept, derived where servers must know them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loom.deploy.credentials import address, file, password, roster
from loom.deploy.credentials.file import File
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import PASSWORD, Kind, Secret, secrets
from loom.deploy.plan.model import Method, Plan, Service
from loom.errors import InputError, Problem

_OWN = (Kind.PASSWORD, Kind.TOKEN)
DERIVED = (Kind.WEB, Kind.USERS)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done to one file. Its content is nowhere in here."""

    holder: str
    name: str
    state: str
    """`created`, `changed`, `kept`, `missing`."""


def initialise(plan: Plan, vault: Vault) -> tuple[Kept, ...]:
    """Make every secret that is not there, derive what depends on them; WriteError, InputError.

    What has to come from outside is `missing` until somebody puts it there.
    """
    with vault.held():
        return _settle(plan, vault, {})


def rotate(
    plan: Plan, vault: Vault, holder: str, name: str = PASSWORD, *, at_once: bool = False
) -> tuple[Kept, ...]:
    """A new password or token, and what servers know of it; InputError when the party has none.

    The old token is still taken until the next rotation, so that no sender is refused, unless `at_once`.
    """
    with vault.held():
        one = find(plan, holder, name)
        if one.kind not in _OWN:
            hint = (
                f"loom-deploy secrets set {holder} {name}"
                if one.kind is Kind.GIVEN
                else "it follows the passwords"
            )
            raise InputError(Problem(f"{holder}/{name} is not ours to make up", hint=hint))
        return _settle(plan, vault, _instead(plan, vault, one, password.made(), at_once=at_once))


def put(plan: Plan, vault: Vault, holder: str, name: str, value: str) -> tuple[Kept, ...]:
    """A secret that somebody brings; InputError when there is no such one, or the value cannot be one."""
    with vault.held():
        one = find(plan, holder, name)
        if one.kind in DERIVED:
            hint = "it follows the callers' passwords: loom-deploy secrets init"
            raise InputError(Problem(f"{holder}/{name} cannot be set", hint=hint))
        text, wanted = _text(one, value)
        if not wanted and address.exposed(plan, one, text):
            said = f"what was given for {holder}/{name} is an address that is called in plain text"
            raise InputError(Problem(said, hint=address.HINT))
        if wanted:
            raise InputError(Problem(f"what was given for {holder}/{name} cannot be a secret", hint=wanted))
        return _settle(plan, vault, _instead(plan, vault, one, text))


def _text(one: Secret, value: str) -> tuple[str, str]:
    """What is kept of what was given, and what was wanted instead if that cannot be a secret."""
    line = value.removesuffix("\n").removesuffix("\r")
    if one.kind is Kind.GIVEN and "\n" in line:  # a key, or a whole configuration
        line = value
    if not line.strip() or not all(each.isprintable() for each in re.split(r"[\n\r\t]", line)):
        return "", "text that is not empty"
    if one.kind is not Kind.GIVEN and (line != line.strip() or not line.isprintable()):
        return "", "one line without spaces at its ends"
    return line, ""


def find(plan: Plan, holder: str, name: str) -> Secret:
    """The secret that is meant; InputError with those that there are."""
    everything = secrets(plan)
    for one in everything:
        if (one.holder, one.file) == (holder, name):
            return one
    known = ", ".join(f"{one.holder} {one.file}" for one in everything if one.kind not in DERIVED)
    raise InputError(
        Problem(f"{holder} has no secret {name} in this profile", hint=f"one of: {known or 'none'}")
    )


def values(plan: Plan, vault: Vault) -> dict[tuple[str, str], str]:
    """Holder and file -> content, of every secret that is there and not empty."""
    found = {}
    for one in secrets(plan):
        try:
            text = vault.file(one.holder, one.file).read_text()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            place = str(vault.file(one.holder, one.file))
            raise InputError(Problem("cannot be read as text", place)) from error
        if text.strip():
            found[one.holder, one.file] = text
    return found


def derived(plan: Plan, one: Secret, found: Mapping[tuple[str, str], str]) -> str:
    """The text of a WEB or USERS file; a hash that still fits its caller's password stays as it is."""
    before = roster.known(one.kind, found.get((one.holder, one.file), ""))
    passwords = {
        caller: found[caller, PASSWORD].strip() for caller in one.callers if (caller, PASSWORD) in found
    }
    long = [caller for caller, text in passwords.items() if len(text.encode()) > password.LONGEST]
    if long:
        said = f"is longer than the {password.LONGEST} bytes that bcrypt takes"
        raise InputError(*(Problem(said, f"{caller}/{PASSWORD}") for caller in long))
    now = {
        caller: before[caller] if password.matches(text, before.get(caller, "")) else password.hashed(text)
        for caller, text in passwords.items()
    }
    minimum = plan.profile.security.tls.minimum
    return roster.written(one.kind, now, minimum, encrypted=plan.encrypted(Service(one.holder)))


def _settle(plan: Plan, vault: Vault, new: Mapping[tuple[str, str], str]) -> tuple[Kept, ...]:
    """Bring the disk to what is there, with the new ones in the place of the old, and say what was done."""
    before = values(plan, vault)
    after = before | dict(new)
    everything = secrets(plan)
    token = _token(everything, after) or password.made()
    for one in everything:
        if one.kind in _OWN and (one.holder, one.file) not in after:
            after[one.holder, one.file] = token if one.kind is Kind.TOKEN else password.made()
    for one in everything:
        if one.kind in DERIVED:
            after[one.holder, one.file] = derived(plan, one, after)
    changed = [
        one for one in everything if after.get((one.holder, one.file)) != before.get((one.holder, one.file))
    ]
    file.put(*(_file(vault, one, after) for one in _servers_last(changed)))
    return tuple(_kept(one, before, after) for one in everything)


def _token(everything: Iterable[Secret], found: Mapping[tuple[str, str], str]) -> str | None:
    """The token that all its holders share, None when nobody has one; InputError when they differ."""
    held = tokens(everything, found)
    if len(set(held.values())) > 1:
        hint = "take the right one: loom-deploy secrets set HOLDER token < FILE"
        raise InputError(Problem(f"{', '.join(held)} hold different tokens", hint=hint))
    return next(iter(held.values()), None)


def tokens(everything: Iterable[Secret], found: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Holder -> its token; of a server that takes two, the newer one."""
    return {
        one.holder: found[one.holder, one.file].split()[0]
        for one in everything
        if one.kind is Kind.TOKEN and (one.holder, one.file) in found
    }


def _instead(
    plan: Plan, vault: Vault, one: Secret, new: str, *, at_once: bool = False
) -> dict[tuple[str, str], str]:
    """Every file that holds the secret, with its new text: all tokens are one, and servers take two."""
    if one.kind is not Kind.TOKEN:
        return {(one.holder, one.file): new}
    holders = [other for other in secrets(plan) if other.kind is Kind.TOKEN]
    servers = {str(edge.service) for edge in plan.edges if edge.method is Method.TOKEN}
    before = set(tokens(holders, values(plan, vault)).values()) - {new}
    both = new if at_once or len(before) != 1 else f"{new}\n{before.pop()}"
    return {(other.holder, other.file): both if other.holder in servers else new for other in holders}


def _servers_last(changed: Iterable[Secret]) -> list[Secret]:
    """Callers' files and what servers know of them get their names one right after the other."""
    return sorted(changed, key=lambda one: one.kind in DERIVED)


def _file(vault: Vault, one: Secret, after: Mapping[tuple[str, str], str]) -> File:
    return File(vault.file(one.holder, one.file), after[one.holder, one.file].encode(), one.owner)


def _kept(one: Secret, before: Mapping[tuple[str, str], str], after: Mapping[tuple[str, str], str]) -> Kept:
    place = (one.holder, one.file)
    if place not in after:
        return Kept(*place, "missing")
    if place not in before:
        return Kept(*place, "created")
    return Kept(*place, "kept" if before[place] == after[place] else "changed")
