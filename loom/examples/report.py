"""The lines with which an example ends: what became of its telemetry."""

from loom.telemetry import Settings, Telemetry


def report(telemetry: Telemetry, settings: Settings, *, arrived: bool) -> None:
    """Say how many traces were kept and whether everything arrived."""
    ledger = telemetry.ledger
    print(f"sampled {telemetry.tracing.roots} traces ({settings.sampling} of new ones)")
    print(f"sent {ledger.exported} of {ledger.created} spans")
    print("everything arrived" if arrived else "not everything arrived")
