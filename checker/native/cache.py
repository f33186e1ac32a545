"""Object code on disk, each entry under a name that covers all it depends on.

An entry is its own checksum followed by the code: one that was cut short or altered is
ignored.  A folder that cannot be written only costs the time to compile again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def folder() -> Path:
    """Where entries live: $SCRUTATOR_CACHE, else in $XDG_CACHE_HOME, else in ~/.cache."""
    chosen = os.environ.get("SCRUTATOR_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "scrutator"


def key(parts: Iterable[str]) -> str:
    """A name for code that depends on exactly these texts."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


def read(name: str) -> bytes | None:
    """The code stored under the name, None where there is none or it is damaged."""
    try:
        entry = (folder() / f"{name}.o").read_bytes()
    except OSError:
        return None
    checksum, code = entry[:32], entry[32:]
    return code if hashlib.sha256(code).digest() == checksum else None


def write(name: str, code: bytes) -> None:
    """Store the code; readers see all of it or nothing."""
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder(), suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            os.replace(temporary, folder() / f"{name}.o")
        except OSError:
            os.unlink(temporary)
