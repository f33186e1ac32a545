"""What a script's expected output tells of etcd's servers: terms, votes, commits, roles, logs, configurations.

The law: only states are read, never the text of log lines or which messages went out.  What is told in a
``Ready`` is what a server had when it last persisted; what ``raft-state`` tells, it has now.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

Fields = dict[str, object]

_HANDLING = re.compile(r"^> (\d+) handling Ready")
_HARD = re.compile(r"^HardState Term:(\d+)(?: Vote:(\d+))? Commit:(\d+)")
_SOFT = re.compile(r"^Lead:(\d+) State:(\w+)")
_ENTRY = re.compile(r"^(\d+)/(\d+) (Entry\w+) ?(.*)$")
_SNAPSHOT = re.compile(r"^Snapshot Index:(\d+) Term:(\d+)")
_SWITCHED = re.compile(r"^INFO (\d+) switched to configuration (.*)$")
_BECAME = re.compile(r"^INFO (\d+) became ([\w-]+) at term (\d+)")
_NEW = re.compile(r"^INFO newRaft (\d+) .* term: (\d+), commit: (\d+), applied: \d+, lastindex: (\d+)")
_STATE = re.compile(r"^(\d+): (State\w+) \((Voter|Non-Voter)\) Term:(\d+) Lead:(\d+)")
_PROGRESS = re.compile(r"^(\d+): (State\w+) match=(\d+) next=(\d+)")


@dataclass
class Told:
    """What is known of each server; ``entries`` by index, each with its term and text."""

    ready: dict[str, Fields] = field(default_factory=lambda: defaultdict(dict))
    entries: dict[str, dict[int, tuple[int, str]]] = field(default_factory=lambda: defaultdict(dict))

    def forget(self) -> None:
        """The script went on without telling."""
        self.ready.clear()
        self.entries.clear()

    def read(self, lines: tuple[str, ...], server: str | None) -> None:
        """Follow the output of a command; ``server`` is the one it is about, if it names one."""
        section = ""
        for line in map(str.strip, lines):
            if found := _HANDLING.match(line):
                server = found[1]
            elif line.endswith(":") or line.startswith("> "):
                section = line
            elif found := _SWITCHED.match(line):
                self.ready[found[1]]["configuration"] = found[2]
            elif found := _NEW.match(line):
                about = {"term": int(found[2]), "vote": None, "commit": int(found[3]), "last": int(found[4])}
                self.ready[found[1]].update(about)
            elif server is not None:
                self._of_ready(line, server, section)

    def _of_ready(self, line: str, server: str, section: str) -> None:
        ready = self.ready[server]
        if found := _HARD.match(line):
            ready |= {"term": int(found[1]), "vote": named(found[2]), "commit": int(found[3])}
        elif found := _SOFT.match(line):
            ready |= {"leader": named(found[1]), "role": found[2]}
        elif found := _SNAPSHOT.match(line):
            self.entries[server].clear()
            ready["last"] = int(found[1])
        elif (found := _ENTRY.match(line)) and section == "Entries:":
            self._append(server, int(found[2]), entry(found))

    def _append(self, server: str, index: int, what: tuple[int, str]) -> None:
        known = self.entries[server]
        for later in [k for k in known if k > index]:
            del known[later]
        known[index] = what
        self.ready[server]["last"] = index


def named(number: str | None) -> str | None:
    """etcd's server 0, or none, is nobody."""
    return None if number in (None, "0") else number


def entry(found: re.Match[str]) -> tuple[int, str]:
    """Term and text; of a configuration, only that it is one."""
    return int(found[1]), found[4] if found[3] == "EntryNormal" else "configuration"


def told_now(lines: tuple[str, ...]) -> dict[str, Fields]:
    """Term and role of the servers that a command made candidates, leaders or followers, the last of each."""
    roles = {"pre-candidate": "StatePreCandidate"}
    now: dict[str, Fields] = {}
    for line in map(str.strip, lines):
        if found := _BECAME.match(line):
            role = roles.get(found[2], f"State{found[2].capitalize()}")
            now[found[1]] = {"role": role, "term": int(found[3])}
    return now


def told_state(lines: tuple[str, ...]) -> dict[str, Fields]:
    """What ``raft-state`` shows."""
    found = [m for m in map(_STATE.match, lines) if m]
    return {
        m[1]: {"role": m[2], "voter": m[3] == "Voter", "term": int(m[4]), "leader": named(m[5])} for m in found
    }


def told_log(lines: tuple[str, ...]) -> dict[int, tuple[int, str]]:
    """What ``raft-log`` shows."""
    return {int(m[2]): entry(m) for m in map(_ENTRY.match, lines) if m}


def told_progress(lines: tuple[str, ...]) -> dict[str, Fields]:
    """What ``status`` shows of a leader's followers, and of itself."""
    found = [m for m in map(_PROGRESS.match, lines) if m]
    return {m[1]: {"sending": m[2], "match": int(m[3]), "next": int(m[4])} for m in found}
