"""`scrutator list`: the models that there are, or what one declares."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scrutator.checker.commands.shared import Format, emit, load_spec
from scrutator.checker.verdict import ExitStatus

if TYPE_CHECKING:
    from scrutator.model.language import Spec


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
    from scrutator.model.catalogue import ladder, models

    specs: Mapping[str, Spec] = {**models(), **ladder()} if model is None else {model: load_spec(model)}

    def show() -> None:
        if format == "json":
            sys.stdout.write(encode(models_document(specs)))
        elif model is None:
            print_models(console_for(sys.stdout), specs)
        else:
            print_model(console_for(sys.stdout), model, specs[model])

    emit(show)
    return ExitStatus.HOLDS
