"""The doctor: every step of troubleshooting, asked by itself, and the one thing that is broken."""

from loom.deploy.doctor.checks import CHECKS
from loom.deploy.doctor.diagnosis import diagnose
from loom.deploy.doctor.evidence import Answer, Evidence
from loom.deploy.doctor.fake import FakeMachine, FakeNetwork
from loom.deploy.doctor.gather import Effects, gather
from loom.deploy.doctor.machine import LocalMachine, Machine
from loom.deploy.doctor.model import Check, Diagnosis, Finding, Judgement, Verdict
from loom.deploy.doctor.network import Internet, Network
from loom.deploy.doctor.stack import Endpoint, Stack, embedded, endpoints

__all__ = [
    "CHECKS",
    "Answer",
    "Check",
    "Diagnosis",
    "Effects",
    "Endpoint",
    "Evidence",
    "FakeMachine",
    "FakeNetwork",
    "Finding",
    "Internet",
    "Judgement",
    "LocalMachine",
    "Machine",
    "Network",
    "Stack",
    "Verdict",
    "diagnose",
    "embedded",
    "endpoints",
    "gather",
]
