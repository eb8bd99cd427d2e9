"""YAML as data."""

from typing import Any

import yaml


def parsed(text: str) -> Any:  # noqa: ANN401 - YAML has no types
    """The document of a text, by the safe loader's C edition; yaml.YAMLError when it is none."""
    return yaml.load(text, Loader=yaml.CSafeLoader)
