"""The part of the section `collector` about how many collectors there are, and who does what."""

from typing import Annotated, Literal

from pydantic import Field

from loom.deploy.profile.section import Section

Count = Annotated[int, Field(ge=1, le=9)]


class Topology(Section):
    """How many collectors there are, and who does what."""

    topology: Literal["single", "gateway", "split", "tiered"] = "single"
    """`single`: one. `gateway`: `replicas` behind one address. `split`: one for traces, one for metrics.
    `tiered`: `replicas` that hand each trace, by its id, to one of `samplers`."""
    replicas: Count = 1
    """How many take what Loom sends; a balancer has the address of several. At least 2 for `gateway`."""
    samplers: Count = 2
    """Collectors of `tiered` that decide which traces are kept; each sees the whole of its traces."""
