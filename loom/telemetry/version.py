"""The version every instrumentation scope reports."""

from importlib.metadata import version

VERSION = version("loom-deploy")
