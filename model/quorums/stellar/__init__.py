"""Stellar's networks in files: who needs whom, as crawlers, stellar-core and analysers write it.

- an array of nodes with ``publicKey`` and ``quorumSet``, as stellarbeat, obsrvr and MobileCoin publish;
- ``{"nodes": [{"node", "qset": {"t", "v"}}]}`` of stellar-core's check-quorum-intersection;
- ``{"validators", "qsets"}`` of python-fbas;
- stellar-core's own configuration, TOML of one node.

Law: the readers are loaded when they are needed; whatever they take for granted is in the notes.
"""

from __future__ import annotations

import re
from pathlib import Path

from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.federated import FederatedSystem, Missing

__all__ = ["CHARACTERS_MAX", "read_groups", "read_stellar", "recognises"]

CHARACTERS_MAX = 32 * 1024 * 1024
_ARRAY = re.compile(r"\s*\[\s*(?:\]\s*\Z|\{)")
_NODES = re.compile(r'"publicKey"\s*:')
_CORE = re.compile(r'\s*\{\s*"nodes"\s*:\s*\[')
_FBAS = re.compile(r'\s*\{\s*"(?:validators|qsets)"\s*:')
_CONFIG = re.compile(r"^[ \t]*\[(?:QUORUM_SET(?:\.[^\]\n]*)?|\[(?:VALIDATORS|HOME_DOMAINS)\])\]", re.MULTILINE)


def recognises(text: str, path: Path) -> bool:
    """Whether it is one of these formats, by its content."""
    return _kind(text) != ""


def _kind(text: str) -> str:
    if _ARRAY.match(text):
        return "nodes" if _NODES.search(text) else ""
    if _CORE.match(text) and '"node"' in text:
        return "core"
    if _FBAS.match(text) and '"qsets"' in text:
        return "fbas"
    return "config" if _CONFIG.search(text) and not text.lstrip().startswith("{") else ""


def read_stellar(
    path: Path, text: str, *, rules: tuple[str, ...] = (), missing: str | Missing = Missing.UNSATISFIABLE
) -> FederatedSystem:
    """The federated system that a file describes.

    Args:
        path: Where the text is from, for messages.
        text: The file, of at most `CHARACTERS_MAX` characters.
        rules: None may be given: in a federated system, any two quorums must meet.
        missing: What a node without a quorum set is taken for: ``unsatisfiable`` or ``free``.

    Raises:
        FileError: It is none of these formats, or does not say what it must; with the line.
        QuorumError: Rules were given, or there is no such convention.
    """
    from scrutator.model.quorums.files.errors import FileError
    from scrutator.model.quorums.stellar.config import read_config
    from scrutator.model.quorums.stellar.networks import read_core, read_fbas, read_nodes

    if rules:
        raise QuorumError(f"{path}: a federated system has no rules but that any two quorums meet; leave out {rules[0]}")
    if not isinstance(missing, Missing):
        known = [each.value for each in Missing]
        if missing not in known:
            raise QuorumError(f"missing={missing}: a node without a quorum set is taken for {' or '.join(known)}")
        missing = Missing(missing)
    if len(text) > CHARACTERS_MAX:
        raise FileError(path, 1, f"longer than {CHARACTERS_MAX:,} characters: no network is that large")
    readers = {"nodes": read_nodes, "core": read_core, "fbas": read_fbas, "config": read_config}
    kind = _kind(text)
    if not kind and _ARRAY.match(text):
        raise FileError(path, 1, 'no node has a "publicKey": a file of organisations goes beside one of nodes, to group them')
    if not kind:
        raise FileError(path, 1, "no description of a Stellar network: neither nodes with quorum sets nor a configuration")
    return readers[kind](path, text, missing)


def read_groups(path: Path, text: str, key: str = "organisation") -> dict[str, str]:
    """The group of each node that has one: its ``organisation``, ``country``, ``domain`` or ``isp``.

    The file is an array of nodes, or one of organisations with ``name`` and ``validators``.  Raises
    `FileError` with the line, `QuorumError` for another key.
    """
    from scrutator.model.quorums.stellar.groups import groups

    return groups(path, text, key)
