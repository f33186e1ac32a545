"""What the commands share: mistakes of usage, printing into pipes that close, arguments, models.

Law: nothing heavy is imported before it is used.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scrutator.checker.verdict import ExitStatus

if TYPE_CHECKING:
    from scrutator.model.language import Spec

Format = Literal["text", "json"]


class UsageError(Exception):
    """What the user asked for does not exist or makes no sense."""


# --- printing -----------------------------------------------------------------------------


def emit(show: Callable[[], object]) -> None:
    """Print; a reader that went away (``| head``) changes no exit status.  Raises `UsageError` where it cannot be written."""
    try:
        show()
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise UsageError(f"standard output cannot be written: {error.strerror or error}") from error


def silence(stream: Any) -> None:
    """Send what is still buffered nowhere, so that the interpreter's last flush succeeds."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def fail(message: str, status: ExitStatus) -> ExitStatus:
    """Print what went wrong; gives the status back."""
    from scrutator.checker.report.clean import clean_lines

    with contextlib.suppress(OSError):
        print("scrutator:", *clean_lines(message), sep=" " if "\n" not in message else "\n", file=sys.stderr)
    return status


# --- arguments ----------------------------------------------------------------------------


def parse_size(text: str) -> int:
    """Bytes from ``512M``, ``4G``, ``1.5GiB`` or a plain number; units are powers of 1024."""
    number, unit = text.strip().upper().removesuffix("IB").removesuffix("B"), ""
    if number and number[-1] in "KMGT":
        number, unit = number[:-1], number[-1]
    try:
        size = int(float(number) * 1024 ** " KMGT".index(unit or " "))
    except (ValueError, OverflowError):
        size = 0
    if size <= 0:
        raise UsageError(f"--memory-max {text}: write a size such as 512M or 4G")
    return size


def parse_settings(settings: Iterable[str], model: str, names: Sequence[str]) -> dict[str, Any]:
    """Bounds from ``NAME=VALUE``; the model reads the values."""
    bounds: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name or not value:
            raise UsageError(
                f"--set {setting}: write NAME=VALUE, for instance --set {names[0] if names else 'n'}=3"
            )
        if name in bounds:
            raise UsageError(f"--set {setting}: {name} is already {bounds[name]}")
        bounds[name] = value
    require_known("bound", bounds, names, model)
    return bounds


def require_known(what: str, asked: Iterable[str], known: Sequence[str], model: str | None) -> None:
    """Raise `UsageError` for a name that does not exist, with the names that come close."""
    import difflib

    for name in asked:
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, 3)
        owner = f" of {model}" if model else ""
        plural = what[:-1] + "ies" if what.endswith("y") else what + "s"
        if close:
            hint = f"did you mean {' or '.join(close)}?"
        else:
            hint = (
                f"the {plural}{owner} are: {', '.join(known)}" if known else f"there are no {plural}{owner}"
            )
        raise UsageError(f"no {what} {name}{owner}: {hint}")


def require_place(path: Path, what: str) -> None:
    """Say before a long run, not after it, that a file cannot be written there; ``what`` begins the sentence."""
    folder = path.parent
    if path.is_dir():
        why = "it is a folder"
    elif not folder.is_dir():
        why = f"there is no folder {folder}"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        why = "it may not be written"
    else:
        return
    raise UsageError(f"{what} {path}: {why}")


def refuse_options(names: Iterable[str]) -> None:
    """Raise `UsageError` for a misspelt option among names of files, of which ``-`` may be one."""
    for name in names:
        if name.startswith("-") and name != "-":
            raise UsageError(f"there is no option {name}; see --help (a file of that name is ./{name})")


# --- models -------------------------------------------------------------------------------


@contextlib.contextmanager
def models_code() -> Iterator[None]:
    """Around what runs a model's own code: an exit status of its making would pass for a verdict."""
    from scrutator.model.language import ModelError

    try:
        yield
    except SystemExit as error:
        raise ModelError("its code exits the interpreter") from error


def load_spec(reference: str) -> Spec:
    """The specification a user names."""
    from scrutator.model.catalogue import ladder, load, models

    if ":" not in reference and "." not in reference:  # neither a file nor a module
        require_known("model", [reference], [*models(), *ladder()], None)
    with models_code():
        return load(reference)
