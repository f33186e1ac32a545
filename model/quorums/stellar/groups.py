"""To which organisation, country, domain or provider nodes belong, for questions about those.

Law: a node is in one group at most; one that the file says nothing of is in none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.files.errors import FileError
from scrutator.model.quorums.stellar.located import Document
from scrutator.model.quorums.stellar.networks import country
from scrutator.model.quorums.stellar.slices import Slices


def _of_text(*keys: str) -> Callable[[Mapping[str, object]], str | None]:
    def get(record: Mapping[str, object]) -> str | None:
        return next((value for key in keys if isinstance(value := record.get(key), str) and value), None)

    return get


KEYS: Mapping[str, Callable[[Mapping[str, object]], str | None]] = {
    "organisation": _of_text("organizationId", "organisationId", "homeDomain"),
    "country": country,
    "domain": _of_text("homeDomain"),
    "isp": _of_text("isp"),
}


def groups(path: Path, text: str, key: str) -> dict[str, str]:
    """See `read_groups`."""
    if key not in KEYS:
        raise QuorumError(f"nodes are grouped by {', '.join(KEYS)}, not by {key}")
    file = Document(path, text)
    slices = Slices(file)
    listed = file.data
    if isinstance(listed, dict) and isinstance(listed.get("validators"), list):
        listed = [{**_plain(entry.get("attrs")), "publicKey": entry.get("id")} for entry in listed["validators"] if isinstance(entry, dict)]
    if not isinstance(listed, list):
        raise FileError(path, 1, "neither an array of nodes nor one of organisations")
    found: dict[str, str] = {}
    for k, entry in enumerate(listed):
        record = slices.record(entry, (k,), "a node or an organisation")
        if "publicKey" in record:
            name, group = slices.name(record["publicKey"], (k, "publicKey")), KEYS[key](record)
            if group is not None:
                found[name] = group
            continue
        if key != "organisation":
            raise file.error((k,), f"a file of organisations does not tell the {key} of nodes; take the file of the nodes")
        group = slices.name(record.get("name", record.get("id")), (k, "name"), "an organisation's name")
        for position, each in enumerate(slices.items(record, "validators", (k,))):
            name = slices.name(each, (k, "validators", position))
            if found.setdefault(name, group) != group:
                raise file.error((k, "validators", position), f"node {name} is in {found[name]} and in {group}: leave one out")
    return found


def _plain(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
