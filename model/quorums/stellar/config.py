"""stellar-core's own configuration: the quorum set of one node, written out or by quality of validators.

Written out: ``[QUORUM_SET]`` with THRESHOLD_PERCENT, VALIDATORS and nested tables.  By quality: nodes in
``[[VALIDATORS]]``, their home domains' quality in ``[[HOME_DOMAINS]]``.  Law: the file tells nothing of
what others ask for, so the system is that in which every node named asks for the same; said in a note.
Source: stellar-core, src/main/Config.cpp (loadQset, generateQuorumSet), docs/stellar-core_example.cfg.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scrutator.model.quorums.expression import Expression, Node, all_of, choose
from scrutator.model.quorums.federated import FederatedSystem, Missing
from scrutator.model.quorums.files.tables import Document, Table

PERCENT = 67
NESTED_MAX = 4
QUALITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
NOTE = "the file is of one node: it is assumed that all nodes it names ask for the same"


def read_config(path: Path, text: str, missing: Missing) -> FederatedSystem:
    """The system in which all that the file names have its quorum set."""
    file = Document(path, text)
    if "QUORUM_SET" in file.data:
        expression = _quorum_set(file.table("QUORUM_SET"), 0)
    elif "VALIDATORS" in file.data:
        expression = _by_quality(file)
    else:
        raise file.error("no [[VALIDATORS]]: home domains alone name no nodes", "HOME_DOMAINS")
    notes = [NOTE]
    if file.data.get("NODE_IS_VALIDATOR") is True:
        notes.append("the node itself, whose key the file keeps as a seed, is left out")
    return FederatedSystem(path.stem, dict.fromkeys(expression.names(), expression), (), tuple(notes), missing)


def _quorum_set(table: Table, depth: int) -> Expression:
    if depth >= NESTED_MAX:
        raise table.error(f"quorum sets nested more than {NESTED_MAX} deep, which stellar-core refuses")
    members: list[Expression] = []
    if "VALIDATORS" in table.data:
        members = [_node(table, text) for text in table.texts("VALIDATORS")]
    for key, value in table.data.items():
        if isinstance(value, dict):
            members.append(_quorum_set(table.table(key), depth + 1))
        elif key not in ("THRESHOLD_PERCENT", "VALIDATORS"):
            raise table.error(f"{key} is unknown in a quorum set: it has THRESHOLD_PERCENT, VALIDATORS and inner sets", key)
    percent = table.data.get("THRESHOLD_PERCENT", PERCENT)
    if isinstance(percent, bool) or not isinstance(percent, int) or not 1 <= percent <= 100:
        raise table.error("THRESHOLD_PERCENT is a whole number from 1 to 100", "THRESHOLD_PERCENT")
    if not members:
        raise table.error("a quorum set that names nobody: add VALIDATORS")
    return choose(1 + (len(members) * percent - 1) // 100, members)


def _node(table: Table, text: str) -> Node:
    """A validator: a key with a name behind it, which is the node's name here, or a name behind a $."""
    words = text.split()
    if not words or (len(words) > 2) or words[-1] in ("$", ""):
        raise table.error(f"{text!r} is not a validator: a public key, or $NAME", "VALIDATORS")
    return Node(words[-1].removeprefix("$"))


def _by_quality(file: Document) -> Expression:
    """Most of the nodes of a domain; two thirds of the domains of a quality, the lower ones together one more."""
    quality = {}
    for entry in _entries(file, "HOME_DOMAINS"):
        quality[_text(file, "HOME_DOMAINS", entry, "HOME_DOMAIN")] = _quality(file, "HOME_DOMAINS", entry)
    domains: dict[str, dict[str, list[Node]]] = {each: {} for each in QUALITIES}
    seen: set[str] = set()
    for entry in _entries(file, "VALIDATORS"):
        name, domain = _text(file, "VALIDATORS", entry, "NAME"), _text(file, "VALIDATORS", entry, "HOME_DOMAIN")
        if name in seen:
            raise file.error(f"validator {name} is given twice", "VALIDATORS", name)
        seen.add(name)
        own = _quality(file, "VALIDATORS", entry) if "QUALITY" in entry else quality.get(domain)
        if own is None:
            raise file.error(f"validator {name} has no QUALITY, and its home domain {domain} has none either", "VALIDATORS", name)
        if domain in quality and own != quality[domain]:
            raise file.error(f"validator {name} is of quality {own}, its home domain {domain} of {quality[domain]}", "VALIDATORS", name)
        domains[own].setdefault(domain, []).append(Node(name))
    lower: Expression | None = None
    for each in reversed(QUALITIES):
        lower = _tier(file, each, domains[each], lower)
    if lower is None:
        raise file.error("no validators are given", "VALIDATORS")
    return lower


def _tier(file: Document, quality: str, domains: Mapping[str, list[Node]], lower: Expression | None) -> Expression | None:
    members: list[Expression] = []
    for domain in sorted(domains):
        nodes = domains[domain]
        if quality in QUALITIES[:2] and len(nodes) < 3:
            raise file.error(f"{domain} is of quality {quality} with {len(nodes)} validators: stellar-core asks for 3 or more", "VALIDATORS", domain)
        members.append(choose(len(nodes) - (len(nodes) - 1) // 2, nodes))
    if not members:
        return lower
    members += [lower] if lower is not None else []
    return all_of(members) if quality == "CRITICAL" else choose(len(members) - (len(members) - 1) // 3, members)


def _entries(file: Document, key: str) -> list[Mapping[str, object]]:
    value = file.data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise file.error(f"{key} is a list of tables, each written [[{key}]]", key)
    return value


def _text(file: Document, key: str, entry: Mapping[str, object], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise file.error(f"one of [[{key}]] has no {name}, a text", key)
    return value


def _quality(file: Document, key: str, entry: Mapping[str, object]) -> str:
    value = _text(file, key, entry, "QUALITY")
    if value not in QUALITIES:
        raise file.error(f"QUALITY is {' or '.join(QUALITIES)}, not {value}", key, value)
    return value
