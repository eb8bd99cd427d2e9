"""The dashboard of the MCP manager."""

from loom.contract import attributes as a
from loom.contract.metrics import mcp_manager as m
from loom.deploy.artifacts.dashboards.limits import more_than
from loom.deploy.artifacts.dashboards.model import Board, Row, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import Panels, legend, lines, valued

TITLE = "Loom MCP Manager"


def board(panels: Panels) -> Board:
    """Connections, tools and reconnections of the MCP servers."""
    return Board(
        "loom-mcp",
        TITLE,
        "Which MCP servers are connected, which tools they bring, and how often they are lost.",
        (_connections(panels), _reconnections(panels)),
    )


def _connections(panels: Panels) -> Row:
    active = Text(
        "Active servers",
        "MCP servers connected now. A fall that does not recover needs a look at the server.",
    )
    tools = Text("Tools by server", "Tools registered now. 0: the server is gone, and its tools with it.")
    churn = Text(
        "Connections made and ended",
        "Per second, reconnections included. Both lines high: a server comes and goes.",
    )
    return Row(
        "Connections",
        (
            panels.level(active, m.SERVERS_ACTIVE),
            panels.level(tools, m.TOOLS_REGISTERED, a.SERVER),
            panels.rates(churn, made=m.SERVERS_CONNECTED, ended=m.SERVERS_DISCONNECTED),
        ),
    )


def _reconnections(panels: Panels) -> Row:
    attempts = Text("Reconnection attempts", "Attempts per second by outcome.")
    failed = Text(
        "Failed attempts by server", "Attempts per second that failed: the server is down, or refuses us."
    )
    worst = Text(
        "Servers lost most often", "The ten servers with the most ended connections over the shown range."
    )
    gone = panels.queries.matching(valued(a.ATTEMPT_OUTCOME, "=", "failed"))
    target = Target(gone.rate(m.RECONNECTIONS, (a.SERVER.label,)), legend(a.SERVER.label))
    return Row(
        "Reconnections",
        (
            panels.rate(attempts, m.RECONNECTIONS, a.ATTEMPT_OUTCOME).without("No attempts"),
            lines(failed, Unit.PER_SECOND, target)
            .limits(*more_than(0.01, 0.1))
            .without("No failed attempts"),
            panels.top(worst, m.SERVERS_DISCONNECTED, a.SERVER).without("None lost"),
        ),
    )
