"""What our own node is started with: its file of configuration, and its command.

Law: the file is read back by `scrutator.impl.node.config.load` as the same `NodeConfig`; defaults are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from scrutator.impl.node.config import NodeConfig

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


def command(config: Path) -> list[str]:
    """How to run the node of this file."""
    return [sys.executable, "-m", "scrutator.impl.node", str(config)]


def write(config: NodeConfig, path: Path) -> None:
    """Put a node's configuration into a file; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of(config))


def text_of(config: NodeConfig) -> str:
    """A configuration as TOML.

    >>> from scrutator.impl.node.config import Place
    >>> print(text_of(NodeConfig("a", "c", "data", {"a": Place("127.0.0.1:1", "127.0.0.1:2")}, reads="lease")))
    id = "a"
    cluster = "c"
    data = "data"
    reads = "lease"
    <BLANKLINE>
    [nodes.a]
    raft = "127.0.0.1:1"
    client = "127.0.0.1:2"
    <BLANKLINE>
    """
    return "\n".join(_lines(_changed(config), ""))


def _changed(config: msgspec.Struct) -> dict[str, Plain]:
    """The fields that are not what they would be anyway."""
    found: dict[str, Plain] = {}
    for field in msgspec.structs.fields(config):
        value = getattr(config, field.name)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if value != default:
            found[field.name] = _changed(value) if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
    return found


def _lines(table: Mapping[str, Plain], name: str) -> list[str]:
    """Values first, as TOML wants it, then the tables."""
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if key not in inner]
    if lines:
        lines = [f"[{name}]" if name else "", *lines, ""] if name else [*lines, ""]
    for key, value in inner.items():
        lines += _lines(value, f"{name}.{_key(key)}" if name else _key(key))
    return lines


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else _value(key)


def _value(value: Plain) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    # JSON's texts, numbers and truth values are TOML's, but that TOML wants this one escaped, too.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
