"""Networks as JSON: every node with its quorum set, in the three formats there are.

Law: a node is described once; keys that are of no concern to quorums are passed over.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from scrutator.model.quorums.expression import Expression, Node
from scrutator.model.quorums.federated import FederatedSystem, Missing
from scrutator.model.quorums.stellar.located import Document, Step, shown
from scrutator.model.quorums.stellar.slices import DEPTH_MAX, Slices

_ACCOUNT = 6 << 3  # the first byte of a public key, a G once encoded


def read_nodes(path: Path, text: str, missing: Missing) -> FederatedSystem:
    """An array of nodes with ``publicKey`` and, at most, ``quorumSet``; the country is the node's region."""
    file = Document(path, text)
    slices = Slices(file)
    listed = file.data
    assert isinstance(listed, list)  # or it was not recognised
    records: list[tuple[str, Mapping[str, object], int]] = []
    for k, entry in enumerate(listed):
        record = slices.record(entry, (k,), "a node")
        if "publicKey" not in record:
            raise file.error((k,), 'a node without "publicKey": add its key')
        name = slices.name(record["publicKey"], (k, "publicKey"))
        _once(slices, name, (k, "publicKey"))
        slices.nodes[name] = Node(name, region=country(record))
        records.append((name, record, k))
    found: dict[str, Expression | None] = {}
    for name, record, k in records:
        given = record.get("quorumSet")
        found[name] = None if given is None else _quorum_set(slices, given, (k, "quorumSet"))
    idle = sum(record.get("active") is False for _, record, _ in records)
    notes = (f"{idle} nodes that the file calls inactive are kept",) if idle else ()
    return slices.system(path.stem, found, missing, notes)


def country(record: Mapping[str, object]) -> str | None:
    """The name of the country that a node is in, if the file has it."""
    place = record.get("geoData")
    value = place.get("countryName") if isinstance(place, dict) else record.get("country")
    return value if isinstance(value, str) and value else None


def _quorum_set(slices: Slices, value: object, steps: tuple[Step, ...], depth: int = 0) -> Expression:
    record = slices.record(value, steps, "a quorum set")
    if "threshold" not in record:
        raise slices.file.error(steps, 'a quorum set without "threshold": add how many members are needed')
    if depth > DEPTH_MAX:
        raise slices.file.error(steps, f"quorum sets nested more than {DEPTH_MAX} deep")
    members: list[Expression] = [
        slices.node(slices.name(each, (*steps, "validators", k)))
        for k, each in enumerate(slices.items(record, "validators", steps, needed=False))
    ]
    inner = slices.items(record, "innerQuorumSets", steps, needed=False)
    members += [_quorum_set(slices, each, (*steps, "innerQuorumSets", k), depth + 1) for k, each in enumerate(inner)]
    return slices.threshold(record["threshold"], members, (*steps, "threshold"))


def read_core(path: Path, text: str, missing: Missing) -> FederatedSystem:
    """What stellar-core's check-quorum-intersection takes; the keys are public keys, checked as such."""
    file = Document(path, text)
    slices = Slices(file)
    entries = slices.items(slices.record(file.data, (), "a network"), "nodes", ())
    found: dict[str, Expression | None] = {}
    records = []
    for k, entry in enumerate(entries):
        record = slices.record(entry, ("nodes", k), "a node")
        if "node" not in record:
            raise file.error(("nodes", k), 'a node without "node": add its public key')
        name = _public_key(slices, record["node"], ("nodes", k, "node"))
        _once(slices, name, ("nodes", k, "node"))
        slices.node(name)
        records.append((name, record))
    for k, (name, record) in enumerate(records):
        given = record.get("qset")
        found[name] = None if given is None else _core_set(slices, given, ("nodes", k, "qset"))
    return slices.system(path.stem, found, missing)


def _core_set(slices: Slices, value: object, steps: tuple[Step, ...], depth: int = 0) -> Expression:
    record = slices.record(value, steps, "a quorum set")
    if "t" not in record:
        raise slices.file.error(steps, 'a quorum set without "t": add how many members are needed')
    if depth > DEPTH_MAX:
        raise slices.file.error(steps, f"quorum sets nested more than {DEPTH_MAX} deep")
    members: list[Expression] = []
    for k, each in enumerate(slices.items(record, "v", steps)):
        at = (*steps, "v", k)
        nested = isinstance(each, dict)
        members.append(_core_set(slices, each, at, depth + 1) if nested else slices.node(_public_key(slices, each, at)))
    return slices.threshold(record["t"], members, (*steps, "t"))


def _public_key(slices: Slices, value: object, steps: tuple[Step, ...]) -> str:
    """A public key as Stellar writes it: a kind, 32 bytes and a checksum, in base 32 (SEP-23)."""
    name = slices.name(value, steps, "a public key")
    try:
        data = base64.b32decode(name)
    except (binascii.Error, ValueError):
        data = b""
    if len(name) != 56 or len(data) != 35 or data[0] != _ACCOUNT:
        raise slices.file.error(steps, f"{shown(name)} is not a public key: a G and 55 more of A-Z and 2-7")
    if binascii.crc_hqx(data[:33], 0) != int.from_bytes(data[33:], "little"):
        raise slices.file.error(steps, f"{shown(name)} is not a public key: its checksum is wrong; look for a typing error")
    return name


def read_fbas(path: Path, text: str, missing: Missing) -> FederatedSystem:
    """What python-fbas writes: nodes that name a quorum set by its id, whose members are nodes or ids."""
    file = Document(path, text)
    slices = Slices(file)
    whole = slices.record(file.data, (), "a network")
    sets = slices.record(whole.get("qsets"), ("qsets",), 'the quorum sets ("qsets")')
    records = [
        slices.record(entry, ("validators", k), "a node") for k, entry in enumerate(slices.items(whole, "validators", ()))
    ]
    for k, record in enumerate(records):
        if "id" not in record:
            raise file.error(("validators", k), 'a node without "id": add it')
        name = slices.name(record["id"], ("validators", k, "id"))
        _once(slices, name, ("validators", k, "id"))
        if name in sets:
            raise file.error(("validators", k, "id"), f"{shown(name)} is a node and a quorum set: rename one")
        attributes = record.get("attrs")
        slices.nodes[name] = Node(name, region=country(attributes) if isinstance(attributes, dict) else None)
    reader = _Named(slices, sets)
    found: dict[str, Expression | None] = {}
    for k, record in enumerate(records):
        given = record.get("qset")
        if given is not None and not (isinstance(given, str) and given in sets):
            raise file.error(("validators", k, "qset"), f"no quorum set is called {shown(given)}; those there are stand under qsets")
        found[str(record["id"])] = None if given is None else reader.of(given)
    return slices.system(path.stem, found, missing)


class _Named:
    """Quorum sets by their ids, each made once."""

    def __init__(self, slices: Slices, sets: Mapping[str, object]) -> None:
        self.slices, self.sets = slices, sets
        self.made: dict[str, Expression] = {}
        self.under_way: list[str] = []

    def of(self, name: str) -> Expression:
        if name in self.made:
            return self.made[name]
        steps: tuple[Step, ...] = ("qsets", name)
        if name in self.under_way:
            circle = " -> ".join([*self.under_way[self.under_way.index(name) :], name])
            raise self.slices.file.error(steps, f"quorum sets are members of one another in a circle: {circle}")
        if len(self.under_way) > DEPTH_MAX:
            raise self.slices.file.error(steps, f"quorum sets nested more than {DEPTH_MAX} deep")
        record = self.slices.record(self.sets[name], steps, "a quorum set")
        if "threshold" not in record:
            raise self.slices.file.error(steps, 'a quorum set without "threshold": add how many members are needed')
        self.under_way.append(name)
        members: list[Expression] = []
        for k, each in enumerate(self.slices.items(record, "members", steps)):
            member = self.slices.name(each, (*steps, "members", k), "a node's or quorum set's id")
            members.append(self.of(member) if member in self.sets else self.slices.node(member))
        self.under_way.pop()
        self.made[name] = self.slices.threshold(record["threshold"], members, (*steps, "threshold"))
        return self.made[name]


def _once(slices: Slices, name: str, steps: tuple[Step, ...]) -> None:
    if name in slices.nodes:
        raise slices.file.error(steps, f"node {name} is described twice: leave one out")
