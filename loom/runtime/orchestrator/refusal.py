"""What the client's exceptions mean."""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from loom.runtime.orchestrator.failure import Code, ModelError, TransientError

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAIError

_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_LONGEST_WAIT = 3600.0
_CODES = {401: Code.MODEL_UNAUTHORIZED, 403: Code.MODEL_UNAUTHORIZED, 404: Code.MODEL_NOT_FOUND}


def read(error: "OpenAIError", base_url: str) -> ModelError:
    """Our own error for one of the client's; it quotes nothing that the endpoint sent."""
    from openai import APIConnectionError, APIStatusError, APITimeoutError  # noqa: PLC0415 - an extra, slow

    where = urlsplit(base_url).netloc
    if isinstance(error, APITimeoutError):
        return ModelError(Code.MODEL_TIMEOUT, f"the model at {where} did not answer in time")
    if isinstance(error, APIConnectionError):
        return TransientError(Code.MODEL_UNREACHABLE, f"no model can be reached at {where}")
    if isinstance(error, APIStatusError):
        return judge(error.status_code, where, _after(error))
    return ModelError(Code.MODEL_REFUSED, f"the client for {where} raised {type(error).__name__}")


def unwritable() -> ModelError:
    """The request cannot be written as JSON in UTF-8."""
    return ModelError(Code.MODEL_REFUSED, "the request cannot be written as JSON: see the tools' schemas")


def judge(status: int, where: str, after: float = 0.0) -> ModelError:
    """What an HTTP status from 400 means; `after`: seconds the endpoint asks to wait."""
    answered = f"the model at {where} answered {status}"
    if status == 429:
        return TransientError(Code.MODEL_RATE_LIMITED, answered, after)
    if status in {408, 409} or status >= 500:
        return TransientError(Code.MODEL_UNAVAILABLE, answered, after)
    return ModelError(_CODES.get(status, Code.MODEL_REFUSED), answered)


def _after(error: "APIStatusError") -> float:
    """Seconds of a Retry-After header; a date, or nonsense, counts as absent."""
    text = error.response.headers.get("retry-after", "")
    return min(float(text), _LONGEST_WAIT) if _SECONDS.fullmatch(text) else 0.0
