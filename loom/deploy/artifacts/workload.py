"""The Loom runtime next to the stack, and the probe of the images that cannot check themselves."""

from functools import partial

from loom.contract.environment import ENVIRONMENT, SERVICE_NAME
from loom.deploy import programs
from loom.deploy.artifacts import environment, party, protection
from loom.deploy.plan import topology
from loom.deploy.plan.edges import LOOM, PROBE
from loom.deploy.plan.identity import CA, CERTIFICATE, KEY
from loom.deploy.plan.model import Plan, Purpose, Service, Site
from loom.deploy.profile.loom import DEMONSTRATION

LOOM_CONTAINER = "loom-runtime"
LOOM_PROFILE = "loom"
"""The compose profile of both."""
_DEMONSTRATION = "loom-load"
_LOOM_MIB = 256


def facts(plan: Plan) -> dict[str, object]:
    """What the template says of `loom` and `probe`."""
    image = plan.profile.loom.image
    return {
        "image": image,
        "local": image.startswith("localhost/"),
        "container": LOOM_CONTAINER,
        "profile": LOOM_PROFILE,
        "demonstration": demonstration(plan),
        "service": _service(plan),
        "command": [word.replace("$", "$$") for word in plan.profile.loom.command],
        "settings": _loom_settings(plan),
        "memory_mib": _LOOM_MIB,
        "cpus": plan.profile.security.hardened * 1.0,
        "credentials": party.credentials(plan, LOOM),
        "networks": party.networks(plan, LOOM),
        "probe_image": programs.LOOM.reference,
        "probe_credentials": party.credentials(plan, PROBE),
        "probe_networks": party.networks(plan, PROBE),
        "question": _QUESTION.format(context=_CONTEXT if party.credentials(plan, PROBE) else "None"),
        "probed": _probed(plan),
        "waits": [str(service) for service, _ in _asked(plan)],
    }


def demonstration(plan: Plan) -> str:
    """What the demonstration calls itself; empty when something of the user's own runs there."""
    return _DEMONSTRATION if plan.profile.loom.command == DEMONSTRATION else ""


def _service(plan: Plan) -> str:
    return demonstration(plan) or plan.profile.loom.service_name


def _asked(plan: Plan) -> list[tuple[Service, str]]:
    """Whom the probe asks on its health port, and for what."""
    return [*((one, "/") for one in topology.collectors(plan.profile)), (Service.JAEGER, "/status")]


def _probed(plan: Plan) -> list[str]:
    return [f"{plan.url(one, Purpose.HEALTH, Site.COMPOSE)}{path}" for one, path in _asked(plan)]


_QUESTION = (
    "import ssl, sys, urllib.request as web; context = {context};"
    " [web.urlopen(url, timeout=3, context=context) for url in sys.argv[1:]]"
)
_CONTEXT = (
    f"ssl.create_default_context(cafile='{protection.MOUNTED}/{CA}');"
    f" context.load_cert_chain('{protection.MOUNTED}/{CERTIFICATE}', '{protection.MOUNTED}/{KEY}')"
)


def _loom_settings(plan: Plan) -> list[tuple[str, str]]:
    """The variables of `.env`, with the collector's address between containers."""
    between = environment.endpoints(plan, partial(plan.url, site=Site.COMPOSE))
    inside = {variable.name: address for variable, address in between.items()}
    inside[SERVICE_NAME.name] = _service(plan)
    inside[ENVIRONMENT.name] = f"${{{ENVIRONMENT.name}:-{plan.profile.environment}}}"
    settings = environment.settings(plan, protection.MOUNTED)
    return [(one.name, inside.get(one.name, value)) for one, value in settings]
