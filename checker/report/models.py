"""Models as text and JSON: what can be checked, within which bounds, and what breaks it.

Law: says what a specification declares and nothing else.  Reads specifications by their
public names; decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from rich.console import Console
from rich.text import Text

from scrutator.checker.report.clean import clean
from scrutator.checker.report.layout import first_line, new_table, put, put_paragraphs
from scrutator.model.language.show import bound_as_text

SCHEMA = "scrutator.models/1"


class Bound(Protocol):
    """What is read of a bound."""

    name: str
    default: Any
    doc: str


class Property(Protocol):
    """What is read of a property."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> Enum: ...

    @property
    def doc(self) -> str: ...


class Mutant(Protocol):
    """What is read of a mutant."""

    @property
    def name(self) -> str: ...

    @property
    def doc(self) -> str: ...

    @property
    def breaks(self) -> str: ...

    @property
    def source(self) -> str: ...


class Refinement(Protocol):
    """What is read of a refinement."""

    @property
    def name(self) -> str: ...

    @property
    def spec(self) -> Spec: ...

    @property
    def doc(self) -> str: ...


class Spec(Protocol):
    """What is read of a specification."""

    name: str
    doc: str

    @property
    def bounds(self) -> Sequence[Bound]: ...

    @property
    def properties(self) -> Sequence[Property]: ...

    @property
    def mutants(self) -> Sequence[Mutant]: ...

    @property
    def refinements(self) -> Sequence[Refinement]: ...


def print_models(console: Console, specs: Mapping[str, Spec]) -> None:
    """One row for each model; those called ``group/name`` in a table of their own, under the group's name."""
    groups: dict[str, dict[str, Spec]] = {}
    for name, spec in specs.items():
        groups.setdefault(name.rpartition("/")[0], {})[name] = spec
    for group, members in groups.items():
        if group:
            console.print()
            put(console, f"The {group}", style="bold")
        _print_table(console, members)


def _print_table(console: Console, specs: Mapping[str, Spec]) -> None:
    table = new_table()
    table.add_column("model", no_wrap=True)
    table.add_column("what it is", ratio=2)
    table.add_column("bounds", ratio=1)
    table.add_column("properties", justify="right")
    table.add_column("mutants", justify="right")
    for name, spec in specs.items():
        bounds = ", ".join(clean(f"{b.name}={bound_as_text(b.default)}") for b in spec.bounds)
        counts = (str(len(spec.properties)), str(len(spec.mutants)))
        table.add_row(Text(clean(name)), Text(first_line(spec.doc)), Text(bounds), *map(Text, counts))
    console.print(table)


def print_model(console: Console, name: str, spec: Spec) -> None:
    """Everything one model declares."""
    put(console, name, style="bold")
    put_paragraphs(console, spec.doc, indent=2)
    bounds = [(f"{b.name}={bound_as_text(b.default)}", b.doc) for b in spec.bounds]
    properties = [(p.name, f"{p.kind.value}: {p.doc}") for p in spec.properties]
    mutants = [(m.name, _story(m)) for m in spec.mutants]
    refinements = [(r.spec.name, f"by {r.name}: {r.doc}") for r in spec.refinements]
    for title, rows in (("Bounds", bounds), ("Properties", properties), ("Mutants", mutants), ("Refines", refinements)):
        if rows:
            console.print()
            put(console, title, style="bold")
            for label, doc in rows:
                put(console, label, indent=2)
                put_paragraphs(console, doc or "(no description)", indent=6)


def models_document(specs: Mapping[str, Spec]) -> dict[str, Any]:
    """The same for programs: ``{"schema": ..., "models": [...]}``."""
    return {"schema": SCHEMA, "models": [_document(name, spec) for name, spec in specs.items()]}


def _document(name: str, spec: Spec) -> dict[str, Any]:
    return {
        "name": name,
        "doc": spec.doc,
        "bounds": [{"name": b.name, "default": _plain(b.default), "doc": b.doc} for b in spec.bounds],
        "properties": [{"name": p.name, "kind": p.kind.value, "doc": p.doc} for p in spec.properties],
        "mutants": [
            {"name": m.name, "doc": m.doc, "breaks": m.breaks, "source": m.source} for m in spec.mutants
        ],
        "refines": [{"model": r.spec.name, "mapping": r.name, "doc": r.doc} for r in spec.refinements],
    }


def _story(mutant: Mutant) -> str:
    source = f" (from: {mutant.source})" if mutant.source else ""
    return f"breaks {mutant.breaks}: {mutant.doc}{source}"


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, str)) else str(value)
