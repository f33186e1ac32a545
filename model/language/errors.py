"""The two ways a model can be wrong, and the two ways an action can end without a successor."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SpecError(Exception):
    """The specification cannot be used as asked: a bad declaration, bound, or name."""


class ModelError(Exception):
    """A model's code did something its own declarations forbid.

    The message names the place in the model's source, the state variable and the value.
    """


class Disabled(Exception):
    """Raised by `require` where its condition does not hold: the action cannot happen here."""


class Truncated(Exception):
    """A capacity refused the step; the checker counts it against ``site`` and reports it."""

    def __init__(self, site: str) -> None:
        super().__init__(f"the capacity of {site} is exhausted")
        self.site = site


def instead(name: str, known: Iterable[str]) -> str:
    """The end of a message that there is no such name: what was meant, or what there is.

    >>> instead("registr", ["register", "queue"])
    '; did you mean register?'
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(names) or 'none'}"
