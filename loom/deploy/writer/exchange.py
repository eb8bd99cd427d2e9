"""Two names swapped in one step, where the system can: Linux renameat2, macOS renamex_np."""

import ctypes
import errno
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


def exchange(first: Path, second: Path) -> bool:
    """Swap two names of one file system atomically; False where that does not exist.

    OSError for every other reason, such as EXDEV or EACCES.
    """
    try:
        code = _call(os.fsencode(first), os.fsencode(second))
    except AttributeError:  # a C library without the function
        return False
    if code in _UNSUPPORTED:
        return False
    if code:
        raise OSError(code, os.strerror(code), str(second))
    return True


def _call(first: bytes, second: bytes) -> int:
    """The system's own function; its errno, 0 when it worked."""
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        result = library.renamex_np(first, second, ctypes.c_uint(_RENAME_SWAP))
    else:
        result = library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, ctypes.c_uint(_RENAME_EXCHANGE))
    return ctypes.get_errno() if result else 0
