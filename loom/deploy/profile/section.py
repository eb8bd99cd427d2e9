"""What the sections of a profile are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from loom.deploy.profile import forms

Name = Annotated[str, StringConstraints(pattern=forms.NAME)]
Namespace = Annotated[str, StringConstraints(pattern=forms.NAMESPACE, max_length=40)]
Port = Annotated[int, Field(ge=1, le=65535)]
SecretName = Annotated[str, StringConstraints(pattern=forms.SECRET_NAME)]
Share = Annotated[float, Field(gt=0, lt=1)]
Goal = Annotated[float, Field(gt=0, le=0.99999)]
"""A share that is asked for: closer to 1 the rest is lost in the rounding of what is computed from it."""


class Section(BaseModel):
    """A section of the profile: unknown keys are refused, values are not converted, instances are frozen."""

    # Built when something is validated: most sections are, as parts of the profile only.
    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
