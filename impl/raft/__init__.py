"""Raft, as a core that runs anywhere: in a simulator, in a process, in a test."""

from scrutator.impl.raft.configuration import Configuration, Members, configuration
from scrutator.impl.raft.core import Raft
from scrutator.impl.raft.events import (
    Change,
    Compact,
    ElectionTimeout,
    Event,
    HeartbeatTimeout,
    Leave,
    Output,
    Persist,
    Propose,
    Read,
    Received,
    Transfer,
)
from scrutator.impl.raft.messages import AnyMessage, Entry, Kind, Snapshot
from scrutator.impl.raft.state import Options, Role
from scrutator.impl.raft.tracing import EntryId, Trace

__all__ = [
    "AnyMessage",
    "Change",
    "Compact",
    "Configuration",
    "ElectionTimeout",
    "Entry",
    "EntryId",
    "Event",
    "HeartbeatTimeout",
    "Kind",
    "Leave",
    "Members",
    "Options",
    "Output",
    "Persist",
    "Propose",
    "Raft",
    "Read",
    "Received",
    "Role",
    "Snapshot",
    "Trace",
    "Transfer",
    "configuration",
]
