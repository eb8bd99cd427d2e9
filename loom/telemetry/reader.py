"""Reads environment variables and keeps a problem for each that is malformed."""

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote, urlsplit

from loom.contract import environment
from loom.errors import Problem
from loom.telemetry import sampling
from loom.telemetry.sampling import Sampling

_WHOLE = re.compile(r"\d{1,12}", re.ASCII)
_SIGNALS = {"traces": environment.TRACES, "metrics": environment.METRICS}
_SIGNAL_PATHS = {"traces": "/v1/traces", "metrics": "/v1/metrics"}
_HTTP = "http/protobuf"


class Reader:
    """One environment; `problems` grows with each malformed value that is asked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read from `environ`."""
        self._environ = environ
        self.problems: list[Problem] = []

    def text(self, name: str, default: str = "") -> str:
        """A value without surrounding blanks; an empty one counts as unset, as OpenTelemetry says."""
        return self._environ.get(name, "").strip() or default

    def endpoint(self, signal: Literal["traces", "metrics"]) -> str:
        """The URL for one signal: its own variable, otherwise the general one, with OTLP's path over HTTP."""
        own, general = _SIGNALS[signal], environment.OTLP
        scheme = self._scheme(own)
        url = self._url(general.endpoint.name, general.endpoint.default, scheme)
        if self.text(own.endpoint.name):
            return self._url(own.endpoint.name, url, scheme)
        return url.rstrip("/") + _SIGNAL_PATHS[signal] if self._http else url

    def protocol(self) -> Literal["grpc", "http/protobuf"]:
        """OTLP's transport."""
        name = environment.PROTOCOL.name
        text = self.text(name, environment.PROTOCOL.default)
        if text not in {"grpc", _HTTP}:
            self._refuse(name, text, f"must be grpc or {_HTTP}")
        return "http/protobuf" if text == _HTTP else "grpc"

    def sampling(self) -> Sampling:
        """The sampler: the standard variables win over the documented one; both must be well formed."""
        documented = self._documented_sampling()
        return self._standard_sampling() or documented

    def whole(self, variable: environment.Variable) -> int:
        """A positive whole number."""
        text = self.text(variable.name, variable.default)
        if not _WHOLE.fullmatch(text) or int(text) == 0:
            self._refuse(variable.name, text, "must be a whole number above 0")
            return int(variable.default)
        return int(text)

    def seconds(self, variable: environment.Variable) -> float:
        """Seconds, from a positive whole number of milliseconds."""
        return self.whole(variable) / 1000

    def switch(self, variable: environment.Variable) -> bool:
        """`true` or `false`, in any case."""
        text = self.text(variable.name, variable.default)
        if text.lower() not in {"true", "false"}:
            self._refuse(variable.name, text, "must be true or false")
        return text.lower() == "true"

    def batch(self, queue: int) -> int:
        """How many spans are sent at once, no more than `queue`, which may wait."""
        variable = environment.SPAN_BATCH
        size = self.whole(variable)
        if size > queue and self.text(variable.name):
            self._refuse(variable.name, str(size), f"must be at most {environment.SPAN_QUEUE.name}, {queue}")
        return min(size, queue)

    def complain(self, message: str, hint: str = "") -> None:
        """Keep a problem that somebody else found; the message names the variable."""
        self.problems.append(Problem(message, hint=hint))

    def resource_attributes(self) -> dict[str, str]:
        """`key=value` pairs separated by commas, values percent-encoded."""
        name = environment.RESOURCE_ATTRIBUTES.name
        attributes: dict[str, str] = {}
        for pair in filter(None, (part.strip() for part in self.text(name).split(","))):
            key, equals, value = (part.strip() for part in pair.partition("="))
            if key and equals:
                attributes[key] = unquote(value)
            else:
                self._refuse(name, pair, "must be key=value pairs separated by commas")
        return attributes

    def _documented_sampling(self) -> Sampling:
        name = environment.SAMPLER.name
        text = self.text(name, environment.SAMPLER.default)
        try:
            return sampling.parse_documented(text)
        except ValueError as error:
            self._refuse(name, text, str(error))
            return Sampling()

    def _standard_sampling(self) -> Sampling | None:
        name = environment.STANDARD_SAMPLER.name
        text = self.text(name)
        if not text:
            return None
        argument = self.text(environment.STANDARD_SAMPLER_ARG.name)
        try:
            return sampling.parse_standard(text, argument)
        except ValueError as error:
            if sampling.takes_argument(text):
                name, text = environment.STANDARD_SAMPLER_ARG.name, argument
            self._refuse(name, text, str(error))
            return None

    @property
    def _http(self) -> bool:
        return self.text(environment.PROTOCOL.name) == _HTTP

    def _scheme(self, own: environment.Otlp) -> str:
        """What an endpoint without a scheme means to gRPC; empty when nobody says."""
        variable = own.insecure if self.text(own.insecure.name) else environment.INSECURE
        if not self.text(variable.name):
            return ""
        return "http" if self.switch(variable) else "https"

    def _url(self, name: str, default: str, scheme: str) -> str:
        text = self.text(name, default)
        whole = f"{scheme}://{text}" if scheme and "://" not in text and not self._http else text
        if "@" in text:  # not repeated: what stands in front of it is a secret
            hint = f"{environment.TOKEN_FILE.name} names a file with a token"
            self.complain(f"{name} must be a URL without a user and a password", hint)
        elif not _is_url(whole):
            hint = f"did you mean 'http://{text}'?" if "://" not in text and _is_url(f"http://{text}") else ""
            self._refuse(name, text, "must be a URL such as http://localhost:4317", hint)
        return whole

    def _refuse(self, name: str, value: str, rule: str, hint: str = "") -> None:
        self.complain(f"{name} {rule}, but is {value!r}", hint)


def _is_url(text: str) -> bool:
    """Whether this is http(s)://host with a port that exists, if any."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or too large
        return False
