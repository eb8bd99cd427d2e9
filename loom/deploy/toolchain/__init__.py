"""The pinned real programs: found on PATH or in a cache, built into it from their modules."""

from loom.deploy.toolchain.cache import cache_root
from loom.deploy.toolchain.fake import FakeGo, Heard
from loom.deploy.toolchain.find import Located, ask, locate, measure, require
from loom.deploy.toolchain.installation import Site
from loom.deploy.toolchain.installer import clean, install
from loom.deploy.toolchain.process import Command, ProcessRunner, Runner
from loom.deploy.toolchain.progress import Phase, Progress, Report
from loom.deploy.toolchain.recipe import GRAFANA_SCHEMA, RECIPES, Group, Recipe, chosen
from loom.deploy.toolchain.schema import PREAMBLE, GrafanaSchema, grafana_schema

__all__ = [
    "GRAFANA_SCHEMA",
    "PREAMBLE",
    "RECIPES",
    "Command",
    "FakeGo",
    "GrafanaSchema",
    "Group",
    "Heard",
    "Located",
    "Phase",
    "ProcessRunner",
    "Progress",
    "Recipe",
    "Report",
    "Runner",
    "Site",
    "ask",
    "cache_root",
    "chosen",
    "clean",
    "grafana_schema",
    "install",
    "locate",
    "measure",
    "require",
]
