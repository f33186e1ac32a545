"""Dialect text to callable machine code, by way of LLVM and the object cache.

The law: the same text, constants, tables, processor and versions give the same code, and
any difference gives another cache entry, so that no stale code ever runs.  llvmlite is
imported when the first module is built, not before.
"""

from __future__ import annotations

import ctypes
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scrutator.checker.native import cache
from scrutator.checker.native.dialect import DialectError, Signature
from scrutator.checker.native.intrinsics import I64, NOTHING
from scrutator.checker.native.lower import lower

OPTIMISATION = 2  # O3 takes longer and gains nothing measurable here


@dataclass(frozen=True, slots=True)
class NativeModule:
    """Loaded machine code.

    ``compile_seconds`` is everything from text to callable functions.  The code lives as
    long as the module: a function obtained from it keeps it alive.
    """

    compile_seconds: float
    from_cache: bool
    signatures: Mapping[str, Signature]
    engine: Any = field(repr=False)

    def function(self, name: str) -> Callable[..., Any]:
        """An exported function; pointers are passed as integer addresses.

        Calls release the interpreter's lock.

        Raises:
            KeyError: No exported function has that name.
        """
        signature = self.signatures[name]
        kinds = [ctypes.c_int64 if kind == I64 else ctypes.c_void_p for _, kind in signature.parameters]
        result = None if signature.result == NOTHING else ctypes.c_int64
        function = ctypes.CFUNCTYPE(result, *kinds)(self.engine.get_function_address(name))
        function.keep_alive = self.engine  # type: ignore[attr-defined]
        return function


def compile_dialect(source: str, constants: Mapping[str, int], tables: Mapping[str, bytes]) -> NativeModule:
    """Compile dialect text.

    Args:
        source: Functions of the dialect; see `lower`.
        constants: Values of the names that are constants.
        tables: Contents of the names that are tables.

    Raises:
        DialectError: Something is not of the dialect; the message names the line.
    """
    began = time.perf_counter()
    text, exported = lower(source, constants, tables)
    target = _target()
    name = cache.key((text, *target.description))
    code = cache.read(name)
    from_cache = code is not None
    if code is None:
        code = _compile(text, target)
        cache.write(name, code)
    engine = _load(code)
    return NativeModule(time.perf_counter() - began, from_cache, exported, engine)


@dataclass(frozen=True, slots=True)
class _Target:
    """This processor, as LLVM's machine and as the texts that code depends on."""

    machine: Any
    description: tuple[str, ...]


@functools.cache
def _target() -> _Target:
    import llvmlite
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(
        cpu=cpu, features=features, opt=OPTIMISATION, reloc="default", codemodel="jitdefault", jit=True
    )
    version = ".".join(map(str, llvm.llvm_version_info))
    return _Target(machine, (llvmlite.__version__, version, target.triple, cpu, features, f"O{OPTIMISATION}"))


def _compile(text: str, target: _Target) -> bytes:
    import llvmlite.binding as llvm

    try:
        module = llvm.parse_assembly(text)
        module.verify()
    except RuntimeError as error:
        raise DialectError(f"the lowered text is wrong, which is our own mistake: {error}") from None
    options = llvm.create_pipeline_tuning_options(speed_level=OPTIMISATION)
    options.loop_vectorization = options.slp_vectorization = True
    builder = llvm.create_pass_builder(target.machine, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(target.machine.emit_object(module))


def _load(code: bytes) -> Any:
    import llvmlite.binding as llvm

    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine_for_engine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def _machine_for_engine() -> Any:
    """An engine takes over its machine, so each needs its own."""
    import llvmlite.binding as llvm

    return llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
