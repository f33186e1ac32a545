"""From flat, integer-only Python to machine code in well under a second.

`compile_dialect` takes source text in the dialect that `lower` describes and returns a
`NativeModule` whose exported functions run without the interpreter's lock.  Object code
is cached on disk, under a name that covers everything it depends on.  Nothing here knows
what the functions are for.
"""

from scrutator.checker.native.build import NativeModule, compile_dialect
from scrutator.checker.native.dialect import DialectError

__all__ = ["DialectError", "NativeModule", "compile_dialect"]
