"""Error codes as telemetry may hold them: what a provider calls one may be a sentence, or quote a secret."""

import re

from loom.runtime.call import CallError, ErrorCode

_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)


def is_code(text: str) -> bool:
    """Whether it is a short word for machines."""
    return _CODE.fullmatch(text) is not None


def recorded_code(error: CallError | None) -> str:
    """The error's code for metrics and spans; text that is no code is not recorded."""
    code = "" if error is None else str(error.code)
    return code if is_code(code) else ErrorCode.CAPABILITY_ERROR.value
