"""The documents of a profile, in Markdown: a quick start, a reference of the metrics, a list of the files."""

from loom.deploy.artifacts.documents.collection import artifacts

__all__ = ["artifacts"]
