"""Plays an interaction script of etcd's on our cores, and compares the states that it shows.

Where a script relies on what etcd's host or leader does and ours leave to others, the player does it as a
host may: it ticks a leader whose commit index grew, since etcd's leader tells that to its followers at once,
and proposes an empty command for a change that was refused, since etcd's core puts one in its place.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cluster import Cluster, Disk
from datadriven import Case
from transcript import Fields, Told, told_log, told_now, told_progress, told_state
from wording import ROLES, SENDING, asked, described

from scrutator.impl.raft import (
    Change,
    Compact,
    Configuration,
    ElectionTimeout,
    Entry,
    Event,
    HeartbeatTimeout,
    Kind,
    Leave,
    Members,
    Options,
    Output,
    Raft,
    Role,
    Snapshot,
    Transfer,
)
from scrutator.impl.raft.state import Sending


@dataclass(frozen=True, order=True)
class Difference:
    """At this line of the script, a server's field is not what etcd's is."""

    line: int
    server: str
    field: str
    ours: str
    etcds: str


class EtcdCluster(Cluster):
    """A cluster whose outputs are etcd's ``Ready``: ``ready`` is what a server had when it last carried out."""

    def __init__(self, raft: type[Raft] = Raft) -> None:
        super().__init__(Configuration(Members(())), raft=raft)
        self.ready: dict[str, Fields] = {}
        self.logs: dict[str, dict[int, tuple[int, str]]] = {}

    def step(self, name: str, event: Event) -> Output:
        core = self.servers[name]
        before = core.commit
        out = super().step(name, event)
        if core.role is Role.LEADER and core.commit > before:
            super().step(name, HeartbeatTimeout())
        return out

    def carry_out(self, name: str) -> None:
        self.note(name)
        super().carry_out(name)

    def note(self, name: str) -> None:
        core = self.servers[name]
        self.ready[name] = {
            "term": core.term, "vote": core.vote, "commit": core.commit, "last": core.log.last,
            "leader": core.leader, "role": ROLES[core.role],
            "configuration": described(core.log.configuration_at(core.applied)),
        }  # fmt: skip
        self.logs[name] = log_of(core)


class AsyncCluster(EtcdCluster):
    """A cluster whose disks are slow: a ``Ready`` sends, and what must be durable first waits for its disk."""

    def __init__(self, raft: type[Raft] = Raft) -> None:
        super().__init__(raft)
        self.unwritten: dict[str, deque[list[Output]]] = defaultdict(deque)

    def carry_out(self, name: str) -> None:
        self.note(name)
        outputs, self.pending[name] = self.pending[name], []
        self.network += [message for out in outputs for message in out.send]
        if outputs:
            self.unwritten[name].append([replace(out, send=[]) for out in outputs])

    def write(self, name: str) -> None:
        """The disk completes the oldest of what it was asked for."""
        if self.unwritten[name]:
            self.network += self.carried_out(name, self.unwritten[name].popleft())

    def settle(self, *names: str) -> None:
        super().settle(*names)
        while any(self.unwritten.values()):
            for name in self.servers:
                self.write(name)
            super().settle(*names)


def log_of(core: Raft) -> dict[int, tuple[int, str]]:
    return {e.index: (e.term, text_of(e)) for e in core.log.entries}


def text_of(entry: Entry) -> str:
    return "configuration" if entry.kind is Kind.CONFIGURATION else f'"{entry.data.decode()}"'


class Player:
    """One script under way."""

    def __init__(self, raft: type[Raft] = Raft) -> None:
        self.raft = raft
        self.cluster = EtcdCluster(raft)
        self.told = Told()
        self.silent = False
        self.differences: list[Difference] = []
        self.compared = 0
        self.case: Case

    def play(self, case: Case) -> None:
        """Carry out a command, then compare what its output shows."""
        self.case = case
        if case.command == "log-level":
            self.silent = case.names == ("none",)
            return
        getattr(self, case.command.replace("-", "_"))(case)
        if self.silent or case.options.get("log-level") == "none":
            self.told.forget()
            return
        self.told.read(case.expected, case.names[0] if len(case.names) == 1 else None)
        self.compare_ready()
        live = told_now(case.expected)
        self.compare({name: self.now(name) for name in live}, live)

    # --- comparing ----------------------------------------------------------------------

    def compare_ready(self) -> None:
        """What was told of servers in their ``Ready``, now or earlier, against what ours then had."""
        self.compare(self.cluster.ready, self.told.ready)
        for name, entries in self.told.entries.items():
            log, base = self.cluster.logs[name], self.cluster.servers[name].log.base
            self.compare_logs(name, log, {k: e for k, e in entries.items() if k > base})

    def compare_logs(self, name: str, ours: dict[int, tuple[int, str]], etcds: dict[int, tuple[int, str]]) -> None:
        self.compare({name: {f"entry {k}": ours.get(k) for k in etcds}}, {name: {f"entry {k}": e for k, e in etcds.items()}})

    def compare(self, ours: Mapping[str, Fields], etcds: Mapping[str, Fields]) -> None:
        for name, fields in etcds.items():
            for key, value in fields.items():
                self.compared += 1
                if ours[name][key] != value:
                    self.differences.append(Difference(self.case.line, name, key, str(ours[name][key]), str(value)))

    def now(self, name: str) -> Fields:
        core = self.cluster.servers[name]
        voters = core.log.configuration_at(core.applied).voters
        return {"role": ROLES[core.role], "term": core.term, "leader": core.leader, "voter": name in voters}

    # --- commands that show -------------------------------------------------------------

    def raft_state(self, case: Case) -> None:
        self.compare({name: self.now(name) for name in self.cluster.servers}, told_state(case.expected))

    def raft_log(self, case: Case) -> None:
        name = case.names[0]
        ours, etcds = log_of(self.cluster.servers[name]), told_log(case.expected)
        self.compare({name: {"length": len(ours)}}, {name: {"length": len(etcds)}})
        self.compare_logs(name, ours, etcds)

    def status(self, case: Case) -> None:
        leader = self.cluster.servers[case.names[0]]
        etcds = told_progress(case.expected)
        own = etcds.pop(leader.id)
        self.compare({leader.id: {"match": leader.own_match}}, {leader.id: {"match": own["match"]}})
        for name, fields in etcds.items():
            progress = leader.progress[name]
            ours = {"sending": SENDING[progress.sending], "match": progress.match, "next": progress.next}
            if progress.sending is Sending.SNAPSHOT:
                del fields["next"]  # ours stays where the follower is, theirs is where it will be
            self.compare({name: ours}, {name: fields})

    # --- commands that do ---------------------------------------------------------------

    def add_nodes(self, case: Case) -> None:
        index = int(case.options.get("index", 0))
        first = Configuration(Members(tuple(case.list("voters"))), tuple(case.list("learners")))
        if case.options.get("async-storage-writes") == "true":
            self.cluster = AsyncCluster(self.raft)
        self.cluster.options = Options(
            pre_vote=case.options.get("prevote") == "true", check_quorum=case.options.get("checkquorum") == "true"
        )
        for _ in range(int(case.names[0])):
            disk = Disk(snapshot=Snapshot(index, 1, first, b"") if index else None)
            name = str(len(self.cluster.servers) + 1)
            self.cluster.add(name, first, disk)
            self.cluster.note(name)

    def campaign(self, case: Case) -> None:
        self.cluster.step(case.names[0], ElectionTimeout())

    def propose(self, case: Case) -> None:
        self.cluster.propose(case.names[0], case.names[1].encode())

    def propose_conf_change(self, case: Case) -> None:
        name, operations = case.names[0], [op for line in case.input for op in line.split()]
        out = self.cluster.step(name, self.change(name, operations, case.options))
        refused = any("ignoring conf change" in line for line in case.expected)
        self.compare({name: {"refused": bool(out.refused)}}, {name: {"refused": refused}})
        if out.refused:
            self.cluster.propose(name, b"")

    def change(self, name: str, operations: list[str], options: dict[str, str]) -> Change | Leave:
        """etcd uses joint consensus if asked to, or if there is more than one change; an empty change leaves it."""
        if not operations:
            return Leave(0)
        target = asked(self.cluster.servers[name].configuration, operations)
        transition = options.get("transition", "auto")
        single = options.get("v1") == "true" or (transition == "auto" and len(operations) == 1)
        return Change(0, target, single, transition != "explicit")

    def transfer_leadership(self, case: Case) -> None:
        self.cluster.step(case.options["from"], Transfer(case.options["to"]))

    def tick_heartbeat(self, case: Case) -> None:
        self.cluster.step(case.names[0], HeartbeatTimeout())

    def compact(self, case: Case) -> None:
        self.cluster.step(case.names[0], Compact(int(case.names[1]), b"state"))

    def report_unreachable(self, case: Case) -> None:
        """Our core has no such report; what the script is about is how a leader comes back from probing."""
        self.cluster.servers[case.names[0]].progress[case.names[1]].sending = Sending.PROBE

    def process_ready(self, case: Case) -> None:
        for name in case.names:
            self.cluster.carry_out(name)

    def process_append_thread(self, case: Case) -> None:
        assert isinstance(self.cluster, AsyncCluster)
        for name in case.names:
            self.cluster.write(name)

    def process_apply_thread(self, case: Case) -> None:
        """Our core hands over what is committed and asks for no answer."""

    def deliver_msgs(self, case: Case) -> None:
        self.cluster.take(case.list("drop"))
        for name in case.names:
            self.cluster.deliver(name)

    def stabilize(self, case: Case) -> None:
        self.cluster.settle(*case.names)
