"""The forms that free text in a profile must have: a regular expression each, and its words for people."""

_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
NAME = r"^[a-z][a-z0-9-]{0,39}$"
NAMESPACE = r"^([a-z][a-z0-9]*(_[a-z0-9]+)*)?$"
SECRET_NAME = r"^[a-z][a-z0-9_]{0,62}$"  # noqa: S105 - the form of a name, not a secret
SERVICE_NAME = r"^[A-Za-z][A-Za-z0-9._-]{0,62}$"
IMAGE = r"^[a-z0-9]+([._:/-][a-zA-Z0-9_]+)*(@sha256:[0-9a-f]{64})?$"
URL = r"^https?://[!-~]+[!-.0-~]$"
SENTENCE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,200}$"
HOST = r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$"
EDGE = r"^[a-z][a-z0-9-]* -> [a-z][a-z0-9-]*:[a-z][a-z0-9_]*$"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
REASON = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{20,300}$"
ADDRESS = r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"
HOST_PORT = rf"^[A-Za-z0-9]([A-Za-z0-9.-]{{0,251}}[A-Za-z0-9])?:{_PORT}$"
USER = r"^[!-~]{1,100}$"
CHANNEL = r"^[#@]?[A-Za-z0-9._-]{1,80}$"
AGENT_TYPE = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$"
COMPONENT = r"^[a-z][a-z0-9_]*([.-][a-z0-9_]+)*$"
REMOTE = rf"^https?://[A-Za-z0-9]([A-Za-z0-9.-]{{0,251}}[A-Za-z0-9])?(:{_PORT})?(/[A-Za-z0-9._~-]+)*$"
METRIC = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$"
LABEL = r"^[a-z][a-z0-9_.]{0,62}$"
FOLDER = r"^(/[A-Za-z0-9._-]+)+$"
ARGUMENT = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufeff\ufffe\uffff]*$"
"""No character that YAML cannot carry or a reader cannot see; line feeds and tabs are for scripts."""

WORDS = {
    NAME: "small letters, digits and hyphens, beginning with a letter, at most 40",
    NAMESPACE: "small letters and digits, beginning with a letter, single underscores between them; or empty",
    SECRET_NAME: "small letters, digits and underscores, beginning with a letter, at most 63",
    SERVICE_NAME: "letters, digits, dots, hyphens and underscores, beginning with a letter, at most 63",
    IMAGE: "an image with its tag, such as registry.example/team/agents:1.2",
    SENTENCE: "one line of at most 200 characters",
    HOST: "a host name or an address",
    EDGE: "an edge as `loom-deploy plan` names it, such as prometheus -> jaeger:telemetry",
    DAY: "a day such as 2027-05-31",
    REASON: "one line that says why, of 20 to 300 characters",
    ADDRESS: "an e-mail address",
    HOST_PORT: "a host and its port of at most 65535, such as smtp.example.org:587",
    USER: "letters, digits and signs without spaces, at most 100",
    CHANNEL: "a channel such as #alerts, of letters, digits, dots, hyphens and underscores",
    AGENT_TYPE: "letters, digits, dots, hyphens, underscores and slashes, at most 63",
    COMPONENT: "a component such as loom.event_bus or jaeger",
    REMOTE: "https://HOST:PORT/PATH: a port of at most 65535; no user, password, query, or slash at its end",
    METRIC: "a metric of the contract: small words with dots between them, as METRICS.md has it",
    LABEL: "small letters, digits, underscores and dots, beginning with a letter",
    FOLDER: "a path from the root, such as /srv/objects, of letters, digits, dots, hyphens and underscores",
    ARGUMENT: "text without control characters; line feeds and tabs may be in it",
    URL: "an http or https address without spaces and without a slash at its end",
}
