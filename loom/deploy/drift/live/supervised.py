"""The programs of the native engine, as supervisord's rendered configuration has them. Pure text."""

import re
import shlex
from collections.abc import Mapping
from configparser import RawConfigParser

from loom.deploy.artifacts.supervisor import DATA, RUN
from loom.deploy.drift.live import arguments
from loom.deploy.drift.live.evidence import Program
from loom.deploy.engine.deployment import Home
from loom.deploy.engine.lifecycle import CONFIGURATION

_REFERENCE = re.compile(r"%\((\w+)\)s|%(%)")


def wanted(texts: Mapping[str, str], home: Home) -> dict[str, Program]:
    """Service → the program as it was rendered."""
    file = RawConfigParser()
    file.read_string(texts[CONFIGURATION])
    known = {
        "here": str((home.rendered / CONFIGURATION).parent),
        f"ENV_{DATA}": str(home.data),
        f"ENV_{RUN}": str(home.short_run),
    }
    return {
        section.removeprefix("program:"): _program(file[section], known)
        for section in file.sections()
        if section.startswith("program:")
    }


def _program(section: Mapping[str, str], known: Mapping[str, str]) -> Program:
    from supervisor.datatypes import (  # noqa: PLC0415 - slow to import, and only this needs it
        dict_of_key_value_pairs,
    )

    words = shlex.split(_filled(section["command"], known))[1:]
    variables: dict[str, str] = dict_of_key_value_pairs(_filled(section.get("environment", ""), known))
    environment = {f"environment {name}": value for name, value in variables.items()}
    return Program({**arguments.facts(words), **environment})


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda found: "%" if found[2] else known.get(found[1], found[0]), text)
