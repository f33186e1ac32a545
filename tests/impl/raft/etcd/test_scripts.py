"""etcd's interaction scripts, played on our cores: states are the same, or the difference has a reason.

After each command whose output shows them, terms, votes, commit indexes, roles, leaders, configurations, logs
and progress are compared; see `transcript` and `player`.  A difference that is not listed fails, and so does a
listed one that is none.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from datadriven import cases, files, needs_data
from player import Player

from scrutator.impl.raft import Raft
from scrutator.impl.raft.mutants import MUTANTS

NOT_PLAYED = {
    "forget_leader": "our core has no way to forget a leader but to hear of another, or to stand",
    "forget_leader_read_only_lease_based": "it is about refusing to forget a leader",
}

# How many comparisons each script comes to: none of them may pass because nothing was read.
REPRODUCED = {
    "async_storage_writes": 1426,  # with a host whose disk is slow: our core answers itself, too, once durable
    "campaign_learner_must_vote": 38,
    "confchange_v1_add_single": 63,
    "confchange_v2_add_double_auto": 428,
    "confchange_v2_add_double_implicit": 65,
    "confchange_v2_add_single_auto": 63,
    "confchange_v2_add_single_explicit": 160,
    "confchange_v2_replace_leader": 381,
    "heartbeat_resp_recovers_from_probing": 21,  # the player sets the follower to probing by hand
    "lagging_commit": 88,
    "prevote": 100,
    "probe_and_replicate": 455,
    "single_node": 24,
    "snapshot_succeed_via_app_resp": 89,
}

# With us a configuration is in effect when it is appended (section 6 of the paper), with etcd when applied.
NEEDS_THE_NEW = "to enter the joint configuration takes a majority of the new members, too, who are still empty"
FREE_OF_THE_OLD = "to leave it takes no more than the new configuration, of one server, which is in effect already"
# Our heartbeat to a follower that needs a snapshot brings it; etcd's asks first whether the follower is there.
A_ROUND_EARLIER = "the snapshot came with the heartbeat"

DIFFERENT: dict[tuple[str, int], tuple[str, str]] = {
    ("confchange_v2_add_double_auto", 54): ("1.commit 1.configuration", NEEDS_THE_NEW),
    ("confchange_v2_add_double_auto", 65): ("1.commit 1.configuration 1.entry 5 1.last", NEEDS_THE_NEW),
    ("confchange_v2_add_double_auto", 254): ("1.commit 1.configuration", FREE_OF_THE_OLD),
    ("confchange_v2_add_double_auto", 288): (
        "1.commit 1.configuration 2.commit 2.configuration 3.commit 3.configuration",
        FREE_OF_THE_OLD,
    ),
    ("snapshot_succeed_via_app_resp", 71): ("3.commit 3.configuration 3.last", A_ROUND_EARLIER),
    ("snapshot_succeed_via_app_resp", 85): ("3.commit 3.configuration 3.last", A_ROUND_EARLIER),
    ("snapshot_succeed_via_app_resp", 97): (
        "3.commit 3.configuration 3.last 3.match 3.sending",
        A_ROUND_EARLIER,
    ),
}

# Broken cores, and the script in which it shows.
SHOWN = {
    "change_before_commit": "single_node",  # a new leader without an entry of its own
    "commit_alone": "confchange_v2_add_double_auto",
    "compare_logs_by_parts": "probe_and_replicate",
    "elect_anybody": "probe_and_replicate",
    "joint_counts_one_majority": "confchange_v2_add_double_auto",
    "pre_vote_bumps_term": "prevote",
    "skip_consistency_check": "probe_and_replicate",
}

FILES = files("testdata")


def played(path: Path, raft: type[Raft] = Raft) -> Player:
    player = Player(raft)
    for case in cases(path):
        player.play(case)
    return player


@needs_data
def test_every_script_is_accounted_for() -> None:
    assert {path.stem for path in FILES} == {*REPRODUCED, *NOT_PLAYED}


@pytest.mark.parametrize("path", [p for p in FILES if p.stem in REPRODUCED], ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    player = played(path)
    found: dict[int, list[str]] = {}
    for d in sorted(player.differences):
        found.setdefault(d.line, []).append(f"{d.server}.{d.field}")
    listed = {line: fields for (file, line), (fields, _) in DIFFERENT.items() if file == path.stem}
    assert {line: " ".join(fields) for line, fields in found.items()} == listed, player.differences
    assert player.compared == REPRODUCED[path.stem]


@needs_data
@pytest.mark.parametrize(("mutant", "script"), SHOWN.items())
def test_a_broken_core_shows(mutant: str, script: str) -> None:
    path = next(path for path in FILES if path.stem == script)
    differences = played(path, MUTANTS[mutant].raft).differences
    assert [d for d in differences if (script, d.line) not in DIFFERENT]
