"""Quorum systems in files: our own TOML, and the configurations of other systems as they are.

`read` tells the format from the content.  Whatever a reader takes for granted, it says in the notes
of the system; what it cannot mean raises `FileError` with file, line and cure.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from scrutator.model.quorums import stellar
from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.federated import FederatedSystem
from scrutator.model.quorums.files import cassandra, cockroach, kafka, mongodb, omnipaxos, own, zookeeper
from scrutator.model.quorums.files.errors import FileError, read_text
from scrutator.model.quorums.parse import unknown
from scrutator.model.quorums.system import QuorumSystem

__all__ = ["FORMATS", "FileError", "Format", "read"]

CHARACTERS_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files: how it is recognised, how it is read, and what may be told besides the file."""

    name: str
    doc: str
    recognises: Callable[[str, Path], bool]
    reader: Callable[..., QuorumSystem | FederatedSystem]  # (path, text, *, rules, and the options)
    characters_max: int = CHARACTERS_MAX

    @property
    def options(self) -> tuple[str, ...]:
        """The names of the options that `read` passes on."""
        given = inspect.signature(self.reader).parameters.values()
        return tuple(each.name for each in given if each.kind is each.KEYWORD_ONLY and each.name != "rules")


# The first that recognises a text reads it: the more particular come first.
FORMATS: Mapping[str, Format] = MappingProxyType({
    each.name: each
    for each in (
        Format(
            "stellar", "nodes with quorum sets as JSON, or stellar-core.cfg", stellar.recognises, stellar.read_stellar,
            stellar.CHARACTERS_MAX,
        ),
        Format("cockroachdb", "ALTER ... CONFIGURE ZONE USING ...", cockroach.recognises, cockroach.read_cockroach),
        Format("cassandra", "CREATE KEYSPACE ... WITH replication", cassandra.recognises, cassandra.read_cassandra),
        Format("mongodb", "what rs.conf() prints", mongodb.recognises, mongodb.read_mongodb),
        Format("zookeeper", "zoo.cfg, or the dynamic configuration", zookeeper.recognises, zookeeper.read_zookeeper),
        Format("kafka", "server.properties with controller.quorum.voters", kafka.recognises, kafka.read_kafka),
        Format("omnipaxos", "TOML with [cluster_config]", omnipaxos.recognises, omnipaxos.read_omnipaxos),
        Format("toml", "our own format, with nodes and quorums", own.recognises, own.read_own),
    )
})  # fmt: skip


def read(
    path: Path | str, *, format: str | None = None, rules: tuple[str, ...] = (), **options: str
) -> QuorumSystem | FederatedSystem:
    """The quorum system that a file describes.

    Args:
        path: The file, UTF-8 text of at most `errors.BYTES_MAX` bytes.
        format: A name of `FORMATS`; None to tell it from the content.
        rules: Rules to be kept, instead of those of the file or its format.
        options: What the file does not say, such as Cassandra's ``read_level``; see `Format.options`.

    Raises:
        FileError: The file cannot be read, or states no quorum system.
        QuorumError: There is no such format, option or rule.
    """
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise QuorumError(unknown("format", format, FORMATS))
    text = read_text(path)
    found = FORMATS[format] if format is not None else _recognised(path, text)
    if len(text) > found.characters_max:
        raise FileError(path, 1, f"longer than {found.characters_max:,} characters: no {found.name} file of quorums is")
    for option in options:
        if option not in found.options:
            known = dict.fromkeys(found.options)
            has = unknown("option", option, known) if known else f"it has no options, and so no {option}"
            raise QuorumError(f"{path} is read as {found.name}: {has}")
    return found.reader(path, text, rules=rules, **options)


def _recognised(path: Path, text: str) -> Format:
    if not text.strip():
        raise FileError(path, 1, 'empty: write for instance nodes = ["a", "b", "c"], [quorums] and election = "majority"')
    found = next((each for each in FORMATS.values() if each.recognises(text, path)), None)
    if found is None and path.suffix == ".toml":
        found = FORMATS["toml"]
    if found is None:
        known = "; ".join(f"{each.name} ({each.doc})" for each in FORMATS.values())
        raise FileError(path, 1, f"no format that is known. Name it if it is one of these: {known}")
    return found
