"""The section about fewer series: what the collector adds up before Prometheus sees it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from loom.deploy.profile import forms
from loom.deploy.profile.section import Section

Label = Annotated[str, StringConstraints(pattern=forms.LABEL)]
MetricName = Annotated[str, StringConstraints(pattern=forms.METRIC)]


class Aggregation(Section):
    """Labels that are added up over: within each process, since each counts from its own start."""

    drop_labels: tuple[Label, ...] = Field(default=(), strict=False)
    """Labels that metrics lose; their values are added up."""
    keep_labels: tuple[Label, ...] = Field(default=(), strict=False)
    """The other way round: the only labels that metrics keep, besides job, instance and environment."""
    metrics: tuple[MetricName, ...] = Field(default=(), strict=False)
    """Metrics of the contract that this is about; empty for all with such a label that can be added up."""

    panels: Literal["whole", "coarser"] = "whole"
    """`whole`: a label that a panel asks for stays. `coarser`: such panels may show one line for all."""

    @property
    def chosen(self) -> bool:
        """Whether anything is added up."""
        return bool(self.drop_labels or self.keep_labels)
