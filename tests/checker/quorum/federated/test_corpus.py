"""Published and measured topologies: outcomes, sizes and numbers that others found too."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from scrutator.checker.quorum.federated import (
    decide,
    minimal_blocking_sets,
    minimal_quorums,
    smallest_blocking_set,
    smallest_quorum,
    smallest_splitting_set,
)
from scrutator.model.quorums.federated import FederatedSystem, Missing
from scrutator.model.quorums.files.errors import FileError
from scrutator.model.quorums.stellar import read_groups, read_stellar, recognises

CORPUS = Path(__file__).resolve().parents[4].parent / "shared" / "corpus" / "quorum"
NETWORK = "fbas_analyzer/stellarbeat_nodes_2019-09-17.json"
# Where the others gave up: found here, and no smaller set hits all the quorums.
BLOCKING = {"python-fbas/pubnet/validators.json": 6, "python-fbas/small/sybil_1.json": 8, "stellar-core-tests/10org_full_bench.json": 7}


def rows() -> Iterator[dict[str, str]]:
    if (CORPUS / "MANIFEST.csv").exists():
        with (CORPUS / "MANIFEST.csv").open(newline="") as file:
            yield from csv.DictReader(file)


def decided() -> list[dict[str, str]]:
    return [row for row in rows() if row["measured_missing_unsat"]]


@cache
def system(name: str, missing: Missing = Missing.UNSATISFIABLE) -> FederatedSystem:
    path = CORPUS / name
    if not path.exists():
        pytest.skip("the corpus is not here")
    text = path.read_text()
    assert recognises(text, path)
    return read_stellar(path, text, missing=missing)


def number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


@pytest.mark.parametrize("row", decided(), ids=lambda row: row["file"])
def test_outcomes(row: dict[str, str]) -> None:
    result = decide(system(row["file"]))
    assert result.outcome.value.replace(" ", "_") == row["measured_missing_unsat"]
    assert result.smallest
    total = number(row["min_disjoint_witness_total_nodes"])
    assert total is None or len(result.left) + len(result.right) == total
    free = decide(system(row["file"], Missing.FREE))
    assert free.outcome.value.replace(" ", "_") == row["measured_missing_free"]


@pytest.mark.parametrize("row", [row for row in decided() if row["measured_nodes"]], ids=lambda row: row["file"])
def test_sizes(row: dict[str, str]) -> None:
    found = system(row["file"])
    assert len(found.nodes) == int(row["measured_nodes"])
    quorum = smallest_quorum(found)
    assert (quorum.size if quorum else None) == number(row["min_quorum"])
    assert smallest_blocking_set(found).size == BLOCKING.get(row["file"], number(row["min_blocking"]))
    splitting = smallest_splitting_set(found)
    assert (splitting.faulty.size if splitting else None) == number(row["min_splitting_allnodes"])


@pytest.mark.parametrize("row", decided(), ids=lambda row: row["file"])
def test_all_minimal_sets_have_the_smallest_sizes(row: dict[str, str]) -> None:
    found = system(row["file"])
    quorum, quorums = smallest_quorum(found), minimal_quorums(found, sets_max=0)
    assert next(iter(quorums.sizes), None) == (quorum.size if quorum else None)
    blocking = minimal_blocking_sets(found, sets_max=0)
    assert next(iter(blocking.sizes)) == smallest_blocking_set(found).size
    assert blocking.members == quorums.members  # every set is hit by those that it hits


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in decided() if not row["measured_nodes"]], ids=lambda row: row["file"])
def test_the_largest_are_split_by_no_fewer(row: dict[str, str]) -> None:
    found = smallest_splitting_set(system(row["file"]))
    if found is not None:
        assert found.faulty.proved
        fewer = smallest_splitting_set(system(row["file"]), at_most=found.faulty.size - 1) if found.faulty.size else None
        assert fewer is None


@pytest.mark.parametrize("row", [row for row in rows() if row["stated_expected"] == "parse error"], ids=lambda row: row["file"])
def test_what_stellar_core_refuses(row: dict[str, str]) -> None:
    path = CORPUS / row["file"]
    with pytest.raises(FileError, match=r":\d+: .*(public key|threshold)"):
        read_stellar(path, path.read_text())


def test_the_network_of_2019() -> None:
    found = system(NETWORK)
    quorums, blocking = minimal_quorums(found), minimal_blocking_sets(found)
    assert dict(quorums.sizes) == {8: 81, 9: 1080} and quorums.count == 1161
    assert dict(blocking.sizes) == {4: 54, 5: 120} and blocking.count == 174
    assert len(quorums.members) == len(blocking.members) == 17  # the top tier
    assert quorums.sets is not None and all(found.is_quorum(quorum) for quorum in quorums.sets)
    core = smallest_splitting_set(found, core_only=True)
    assert core is not None and core.faulty.size == 3


def test_the_network_of_2019_by_organisation_and_country() -> None:
    found = system(NETWORK)
    path = CORPUS / "fbas_analyzer/stellarbeat_organizations_2019-09-17.json"
    by = read_groups(path, path.read_text())
    quorum, splitting = smallest_quorum(found, by=by), smallest_splitting_set(found, by=by, core_only=True)
    assert quorum is not None and quorum.size == 4
    assert smallest_blocking_set(found, by=by).size == 2
    assert splitting is not None and splitting.faulty.size == 3
    assert minimal_quorums(found, by=by).members == minimal_blocking_sets(found, by=by).members
    assert len(minimal_quorums(found, by=by).members) == 5
    country = found.regions()
    quorum, splitting = smallest_quorum(found, by=country), smallest_splitting_set(found, by=country, core_only=True)
    sizes = [quorum and quorum.size, smallest_blocking_set(found, by=country).size, splitting and splitting.faulty.size]
    assert sizes == [1, 1, 1]


def test_published_blocking_sets() -> None:
    name = "fbas_analyzer/broken.json"
    found = minimal_blocking_sets(system(name)).sets
    order = [node.name for node in system(name).nodes]
    assert found is not None
    assert sorted(sorted(order.index(node) for node in one) for one in found) == [[3, 4], [3, 6, 10], [4, 10]]
