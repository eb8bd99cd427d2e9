"""How the protection of each edge between parties differs: what `loses mTLS on an edge` is read from."""

from collections.abc import Iterator

from loom.deploy.drift.profiles.line import NOTHING, Effect, Group, Line
from loom.deploy.plan.model import Edge, Method, Plan
from loom.deploy.plan.outward import Outward, every

_PROOFS = {
    Method.NONE: "nobody proves who they are",
    Method.CERTIFICATE: "client certificate",
    Method.TOKEN: "bearer token",
    Method.PASSWORD: "password",
    Method.LOGIN: "login page",
}

_TLS = "TLS"
_MUTUAL = frozenset({_TLS, _PROOFS[Method.CERTIFICATE]})


def edges(a: Plan, b: Plan) -> Iterator[Line]:
    """A line for each edge that is not protected alike, or that only one of the two has."""
    ours, theirs = ({edge.name: edge for edge in every(plan)} for plan in (a, b))
    for name in dict.fromkeys((*ours, *theirs)):
        before, after = ours.get(name), theirs.get(name)
        known = after or before
        if known and _protection(before) != _protection(after):
            plan = b if after else a
            what = f"{known.source} → {_address(plan, known)} ({known.what})"
            yield Line(
                Group.SECURITY,
                _effect(before, after),
                what,
                _words(before),
                _words(after),
                _said(before, after),
            )


def _address(plan: Plan, edge: Edge | Outward) -> str:
    if isinstance(edge, Outward):
        return f"{edge.target} ({edge.purpose})"
    return f"{edge.service}:{plan.port(edge.service, edge.purpose).container}"


def _protection(edge: Edge | Outward | None) -> tuple[object, ...]:
    return (edge.encrypted, edge.method, edge.network, edge.waiver) if edge else ()


def _words(edge: Edge | Outward | None) -> str:
    if edge is None:
        return NOTHING
    waived = f", waived until {edge.waiver.until}" if edge.waiver else ""
    return (
        f"{'TLS' if edge.encrypted else 'plain text'}, {_PROOFS[edge.method]}, {edge.network} network{waived}"
    )


def _effect(before: Edge | Outward | None, after: Edge | Outward | None) -> Effect:
    """A further way in that is open to everybody is a loss; one that is closed again a gain."""
    if before is None or after is None:
        unprotected = [edge for edge in (before, after) if edge and not edge.protected]
        return Effect.CHANGES if not unprotected else Effect.LOSES if after else Effect.GAINS
    kept, new = _strength(before), _strength(after)
    if any(old > now for old, now in zip(kept, new, strict=True)):
        return Effect.LOSES
    return Effect.GAINS if new != kept else Effect.CHANGES


def _strength(edge: Edge | Outward) -> tuple[bool, bool]:
    return (edge.encrypted, edge.method is not Method.NONE)


def _said(before: Edge | Outward | None, after: Edge | Outward | None) -> str:
    if before is None or after is None:
        return "a further way in" if after else "a way in less"
    lost, gained = _parts(before) - _parts(after), _parts(after) - _parts(before)
    said = [f"loses {_list(lost)}"] * bool(lost) + [f"gains {_list(gained)}"] * bool(gained)
    if not said and after.waiver != before.waiver:
        return f"as unprotected as before: {after.waiver.reason}" if after.waiver else "the waiver is gone"
    return "; ".join(said) or "the same protection, on another network"


def _parts(edge: Edge | Outward) -> frozenset[str]:
    """What protects the edge."""
    proof = {_PROOFS[edge.method]} if edge.method is not Method.NONE else set()
    return frozenset(({_TLS} if edge.encrypted else set()) | proof)


def _list(parts: frozenset[str]) -> str:
    """TLS with a client certificate goes by its own name."""
    return "mTLS" if parts == _MUTUAL else " and ".join(sorted(parts))
