"""The command ``scrutator``: reads arguments, calls the checker, prints, and exits.

Law: results go to standard output, progress and errors to standard error, and the exit
status always tells which of six things happened (see `ExitStatus`).  Decides nothing
itself.  Nothing heavy is imported before it is used: ``--help`` must stay instant.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TextIO

from cyclopts import App, CycloptsError, Group, Parameter

import scrutator
from scrutator.checker.explore.result import Result
from scrutator.checker.verdict import ExitStatus, Verdict

if TYPE_CHECKING:
    from scrutator.checker.explore.options import CheckOptions
    from scrutator.model.language import Spec

Format = Literal["text", "json"]

EPILOGUE = (
    "Exit status: 0 every property holds, 1 a property is violated, 2 wrong usage, "
    "3 unknown (a limit was reached), 4 the model is faulty or vacuous, 70 a bug in scrutator."
)

app = App(
    name="scrutator",
    help="Scrutinise consensus: check models of replicated protocols.",
    help_epilogue=EPILOGUE,
    help_format="plaintext",
    version=scrutator.__version__,
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=(), show_default=False),
)

_WHAT = Group("What to check", sort_key=1)
_HOW = Group("How to explore", sort_key=2)
_LIMITS = Group("Limits: the verdict is unknown beyond them", sort_key=3)
_OUTPUT = Group("Output", sort_key=4)


class UsageError(Exception):
    """What the user asked for does not exist or makes no sense."""


# --- commands -----------------------------------------------------------------------------


@app.command
def check(
    model: Annotated[str | None, Parameter(group=_WHAT)] = None,
    /,
    *,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", group=_WHAT)] = (),
    properties: Annotated[tuple[str, ...], Parameter(name="--property", group=_WHAT)] = (),
    mutant: Annotated[str | None, Parameter(group=_WHAT)] = None,
    deadlock: Annotated[bool | None, Parameter(group=_WHAT)] = None,
    engine: Annotated[Literal["compiled", "python"] | None, Parameter(group=_HOW)] = None,
    search: Annotated[Literal["bfs", "dfs", "simulate"] | None, Parameter(group=_HOW)] = None,
    workers: Annotated[int | None, Parameter(group=_HOW)] = None,
    symmetry: Annotated[bool | None, Parameter(negative="--no-symmetry", group=_HOW)] = None,
    walks: Annotated[int | None, Parameter(group=_HOW)] = None,
    seed: Annotated[int | None, Parameter(group=_HOW)] = None,
    fingerprint_bits: Annotated[Literal[64, 128] | None, Parameter(group=_HOW)] = None,
    keep_going: Annotated[bool, Parameter(name="--continue", group=_HOW)] = False,
    depth_max: Annotated[int | None, Parameter(group=_LIMITS)] = None,
    states_max: Annotated[int | None, Parameter(group=_LIMITS)] = None,
    timeout_s: Annotated[float | None, Parameter(group=_LIMITS)] = None,
    memory_max: Annotated[str | None, Parameter(group=_LIMITS)] = None,
    coverage: Annotated[bool, Parameter(group=_OUTPUT)] = False,
    witness: Annotated[bool, Parameter(group=_OUTPUT)] = False,
    format: Annotated[Format, Parameter(group=_OUTPUT)] = "text",
    out: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
) -> int:
    """Check a model's properties; with no model, check the standard models.

    Parameters
    ----------
    model
        A name that `scrutator list` shows, `package.module:SPEC` or `file.py:SPEC`; `:SPEC` may be left out.
    settings
        NAME=VALUE: a bound of the model; may be repeated.
    properties
        Check only this property; may be repeated.
    mutant
        Check this broken variant of the model.
    deadlock
        Also require that every state has a successor.
    engine
        Compiled to machine code, or the interpreter that defines what models mean.
    search
        Breadth-first finds the shortest counterexample; simulate walks at random.
    workers
        Threads; the verdict does not depend on them.
    symmetry
        Explore one of each set of states that differ only in interchangeable names.
    walks
        Number of random walks of a simulation.
    seed
        Of a simulation's random choices.
    fingerprint_bits
        Bits by which states are told apart; the report states the odds of a collision.
    keep_going
        Do not stop at the first violated property.
    depth_max
        Explore no deeper; initial states are at depth 1.
    states_max
        Explore no more distinct states.
    timeout_s
        Stop after so many seconds.
    memory_max
        Memory for the search, for instance 512M or 4G, besides Python's own 0.1 G. What is not
        needed soon goes to disk; the search stops when the rest does not fit.
    coverage
        Show how often each action fired, and the new states at each depth.
    witness
        Show how each reachable property was reached; with --out, save that too.
    format
        Text for people, JSON for programs.
    out
        Save the counterexample to this file, or each into this folder, for `scrutator replay`.
    """
    from scrutator.checker.explore.options import CheckOptions

    given: dict[str, Any] = {
        "engine": engine,
        "search": search,
        "workers": workers,
        "symmetry": symmetry,
        "walks": walks,
        "seed": seed,
        "deadlock": deadlock,
        "fingerprint_bits": fingerprint_bits,
        "depth_max": depth_max,
        "states_max": states_max,
        "timeout_s": timeout_s,
        "memory_max_bytes": None if memory_max is None else parse_size(memory_max),
        "stop_at_first": False if keep_going else None,
    }
    options = CheckOptions(**{name: value for name, value in given.items() if value is not None})
    jobs: list[tuple[str, Any, dict[str, Any]]]  # what the user called it, what to check, bounds
    if model is None:
        for option, value in (("--set", settings), ("--property", properties), ("--mutant", mutant)):
            if value:
                raise UsageError(f"{option} needs a MODEL to apply to: scrutator check MODEL {option} ...")
        from scrutator.model.catalogue import STANDARD

        jobs = [(name, name, dict(bounds)) for name, bounds in STANDARD]
    else:
        spec = _load(model)
        bounds = _parse_settings(settings, model, [b.name for b in spec.bounds])
        _require_known("property", properties, [p.name for p in spec.properties], model)
        _require_known("mutant", [mutant] if mutant else [], [m.name for m in spec.mutants], model)
        jobs = [(model, spec, bounds)]

    results: list[Result] = []
    try:
        for reference, subject, bounds in jobs:
            results.append(_check_one(reference, subject, bounds, mutant, properties, options))
            if _interrupted(results[-1]):
                break
    finally:  # a later model's mistake must not hide what the earlier ones showed
        if results:
            _print_check(results, format, coverage=coverage, witness=witness)
    for (reference, _, _), result in zip(jobs, results, strict=False):
        _keep_traces(reference, result, out, witness, sys.stdout if format == "text" else sys.stderr)
    return combined_status(results)


@app.command(name="list")
def list_models(model: str | None = None, /, *, format: Format = "text") -> int:
    """List the models, or what one model declares: bounds, properties and mutants.

    Parameters
    ----------
    model
        A name, `package.module:SPEC` or `file.py:SPEC`.
    format
        Text for people, JSON for programs.
    """
    from scrutator.checker.report.json import encode
    from scrutator.checker.report.layout import console_for
    from scrutator.checker.report.models import models_document, print_model, print_models
    from scrutator.model.catalogue import models

    specs: Mapping[str, Spec] = models() if model is None else {model: _load(model)}

    def show() -> None:
        if format == "json":
            sys.stdout.write(encode(models_document(specs)))
        elif model is None:
            print_models(console_for(sys.stdout), specs)
        else:
            print_model(console_for(sys.stdout), model, specs[model])

    _emit(show)
    return ExitStatus.HOLDS


@app.command
def replay(file: Path, /) -> int:
    """Replay a saved counterexample on its model, step by step; exits 0 if it still is one.

    Parameters
    ----------
    file
        What `scrutator check --out` saved.
    """
    from scrutator.checker.explore.trace import ReplayError
    from scrutator.checker.explore.trace import replay as replay_trace
    from scrutator.checker.report.layout import console_for, put
    from scrutator.checker.report.text import print_trace

    try:
        with _models_code():
            replayed = replay_trace(file)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from error
    except ReplayError as error:
        raise UsageError(str(error)) from error

    def show() -> None:
        console = console_for(sys.stdout)
        if replayed.trace is not None:
            print_trace(console, replayed.trace, what="saved trace" if replayed.ok else "part that replays")
        for line in replayed.text:
            put(console, line, indent=2)

    _emit(show)
    return ExitStatus.HOLDS if replayed.ok else ExitStatus.VIOLATED


@app.command
def version() -> int:
    """Print the version."""
    _emit(lambda: print(scrutator.__version__))
    return ExitStatus.HOLDS


# --- running ------------------------------------------------------------------------------


def main() -> NoReturn:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(int(run(sys.argv[1:])))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; every failure becomes a message and a status."""
    try:
        status = app(list(arguments), exit_on_error=False, print_error=True, result_action="return_value")
        _emit(sys.stdout.flush)
        return int(status or 0)
    except CycloptsError:  # already printed
        return ExitStatus.USAGE
    except UsageError as error:
        return _fail(str(error), ExitStatus.USAGE)
    except KeyboardInterrupt:
        return _fail("interrupted", ExitStatus.UNKNOWN)
    except BrokenPipeError:
        _silence(sys.stdout)
        return ExitStatus.UNKNOWN
    except Exception as error:
        return _explain(error)


def _explain(error: Exception) -> int:
    from scrutator.model.language import ModelError, SpecError

    if isinstance(error, SpecError):
        return _fail(str(error), ExitStatus.USAGE)
    if isinstance(error, ModelError):
        return _fail(f"the model is faulty: {error}", ExitStatus.FAULTY_MODEL)
    import traceback

    traceback.print_exception(error)
    message = (
        "this is a bug in scrutator, not in your model: please report it with the lines above and the command"
    )
    return _fail(message, ExitStatus.INTERNAL_ERROR)


def _fail(message: str, status: ExitStatus) -> int:
    from scrutator.checker.report.clean import clean_lines

    with contextlib.suppress(OSError):
        print("scrutator:", *clean_lines(message), sep=" " if "\n" not in message else "\n", file=sys.stderr)
    return status


def _emit(show: Callable[[], object]) -> None:
    """Print; a reader that went away (``| head``) changes no exit status."""
    try:
        show()
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)


def _silence(stream: Any) -> None:
    """Send what is still buffered nowhere, so that the interpreter's last flush succeeds."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


# --- checking -----------------------------------------------------------------------------


def _check_one(
    reference: str,
    subject: Any,
    bounds: dict[str, Any],
    mutant: str | None,
    properties: tuple[str, ...],
    options: CheckOptions,
) -> Result:
    from scrutator.checker.explore.check import check as check_model
    from scrutator.checker.report.progress import ProgressLine

    with _models_code(), ProgressLine(sys.stderr, reference) as progress:
        return check_model(
            subject, bounds=bounds, mutant=mutant, properties=properties, options=options, progress=progress
        )


@contextlib.contextmanager
def _models_code() -> Iterator[None]:
    """Around what runs a model's own code: an exit status of its making would pass for a verdict."""
    from scrutator.model.language import ModelError

    try:
        yield
    except SystemExit as error:
        raise ModelError("its code exits the interpreter") from error


def combined_status(results: Sequence[Result]) -> ExitStatus:
    """The gravest of several: violated, then faulty or vacuous, then unknown."""
    statuses = {result.exit_status for result in results}
    order = (ExitStatus.VIOLATED, ExitStatus.FAULTY_MODEL, ExitStatus.UNKNOWN)
    return next((status for status in order if status in statuses), ExitStatus.HOLDS)


def _interrupted(result: Result) -> bool:
    return result.limit is not None and "interrupt" in result.limit


def _print_check(results: Sequence[Result], format: Format, *, coverage: bool, witness: bool) -> None:
    def show() -> None:
        if format == "json":
            from scrutator.checker.report.json import check_document, encode

            sys.stdout.write(encode(check_document(results, combined_status(results))))
        else:
            from scrutator.checker.report.layout import console_for
            from scrutator.checker.report.text import print_results

            print_results(console_for(sys.stdout), results, coverage=coverage, witness=witness)

    _emit(show)


def _keep_traces(reference: str, result: Result, out: Path | None, witness: bool, stream: TextIO) -> None:
    """Save each counterexample, and each witness that was asked for, where the user said, else say how."""
    from scrutator.checker.report.clean import clean

    traced = [p for p in result.properties if p.trace is not None]
    for k, found in enumerate(p for p in traced if witness or p.verdict is Verdict.VIOLATED):
        what = "counterexample" if found.verdict is Verdict.VIOLATED else f"witness of {found.name}"
        name = f"{result.model}-{found.name}.json".replace(os.sep, "-")
        if out is None:
            message = f"To keep and replay the {what}: add --out {name}, then scrutator replay {name}"
        else:
            path = out / name if out.is_dir() else out if k == 0 else out.with_name(f"{out.stem}-{name}")
            _save(result, found.name, path, reference)
            message = f"The {what} is in {path}; replay it: scrutator replay {path}"
        _emit(partial(print, f"\n{clean(message)}", file=stream))


def _save(result: Result, property_name: str, path: Path, reference: str) -> None:
    from scrutator.checker.explore.trace import save

    try:
        save(result, property_name, path, reference)
    except OSError as error:
        raise UsageError(f"cannot save the counterexample to {path}: {error.strerror or error}") from error


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


def _parse_settings(settings: Iterable[str], model: str, names: Sequence[str]) -> dict[str, Any]:
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
    _require_known("bound", bounds, names, model)
    return bounds


def _load(reference: str) -> Spec:
    """The specification a user names."""
    from scrutator.model.catalogue import load, models

    if ":" not in reference and "." not in reference:  # neither a file nor a module
        _require_known("model", [reference], list(models()), None)
    with _models_code():
        return load(reference)


def _require_known(what: str, asked: Iterable[str], known: Sequence[str], model: str | None) -> None:
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
