"""The section about the Loom runtime itself."""

from typing import Annotated

from pydantic import Field, StringConstraints

from loom.deploy import programs
from loom.deploy.profile import forms
from loom.deploy.profile.section import Section

Argument = Annotated[str, StringConstraints(pattern=forms.ARGUMENT)]


class Loom(Section):
    """The instrumented runtime."""

    service_name: Annotated[str, StringConstraints(pattern=forms.SERVICE_NAME)] = "loom-core"
    """OTEL_SERVICE_NAME."""
    image: Annotated[str, StringConstraints(pattern=forms.IMAGE)] = programs.LOOM.reference
    """Image of the compose service `loom`; the default is made by `loom-deploy images build`."""
    command: Annotated[tuple[Argument, ...], Field(max_length=50)] = Field(
        # A year: when it is over, the container is started again.
        default=("-m", "loom.examples.load", "--rate", "10", "--seconds", "31536000"),
        strict=False,
    )
    """What the service `loom` runs: arguments of the image's entry point, for ours `python3`."""
