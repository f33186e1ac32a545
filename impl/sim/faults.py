"""What goes wrong: the mix of faults, and each fault, is drawn from the tape.

The law: which faults there are, how often, on whom and for how long are choices of the tape, 0 the most
benign.  Every fault ends by itself; `heal` ends all that last, and undoes what disks suffered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from scrutator.impl.raft import Configuration, Members, Transfer
from scrutator.impl.sim.host import Doom, Host, Status
from scrutator.impl.sim.network import Link, Quality
from scrutator.impl.sim.setup import FAULTS
from scrutator.impl.sim.world import MILLISECOND, SECOND

if TYPE_CHECKING:
    from scrutator.impl.sim.run import Simulation

_DURATIONS_MS = (50, 200, 500, 1000, 2000, 3000, 5000, 10000)
_PACES_MS = (3000, 1000, 500, 250)  # between two chances of a fault
_LEVELS = (1, 2, 4, 8)  # how often faults of a class are chosen, beside others
_AMBUSHES = ("partition", "kill", "pause", "membership")
_QUIET = 300  # of 1000 chances, in which nothing happens


class Faults:
    """Lets faults happen until `heal`."""

    def __init__(self, sim: Simulation) -> None:
        self.sim, self.tape, self.world = sim, sim.tape, sim.world
        self.fired = sim.watch.counts
        self._healed = False
        self._mix = self._draw_mix(sim.setup.faults)
        self._pace_ms = self.tape.pick(_PACES_MS) if self._mix else 0
        self._ambush = self.tape.pick((0, 2, 5)) if self._mix.keys() & set(_AMBUSHES) else 0
        for host in sim.hosts.values():
            host.torn = "disk" in self._mix
            if "clock" in self._mix:
                self._drift(host)

    def _draw_mix(self, faults: str) -> dict[str, int]:
        if faults == "none":
            return {}
        if faults == "swarm":
            return {name: self.tape.pick(_LEVELS) for name in FAULTS if self.tape.draw(2)}
        return {name: self.tape.pick(_LEVELS) for name in FAULTS if name in faults.split(",")}

    def begin(self) -> None:
        """Let the first fault happen some time from now."""
        if self._mix:
            self.sim.tell("", "faults: " + ", ".join(f"{name} x{level}" for name, level in self._mix.items()))
            self._schedule()

    def _schedule(self) -> None:
        longest_ms = 2 * self._pace_ms
        self.world.after(MILLISECOND * (longest_ms - self.tape.draw(longest_ms)), self._tick, None)

    def _tick(self, _: None) -> None:
        if self._healed:
            return
        choice = self.tape.draw(1000) - _QUIET
        if choice >= 0:
            total = sum(self._mix.values())
            place = choice * total // (1000 - _QUIET)
            for name, level in self._mix.items():
                place -= level
                if place < 0:
                    _ACTIONS[name](self)
                    break
        self._schedule()

    def lie_in_wait(self, host: Host) -> None:
        """A server does what is delicate, such as to lead or to vote.  Something may go wrong just then."""
        if not self._healed and self._ambush and self.tape.draw(8) >= 8 - self._ambush:
            later_ms = self.tape.draw(2) and self.tape.draw(2 * self.sim.setup.spread_ms)
            self.world.after(1 + MILLISECOND * later_ms, self._strike, host)

    def _strike(self, host: Host) -> None:
        if self._healed or host.status is not Status.UP:
            return
        self.fired["ambush"] += 1
        others = [name for name in self.sim.setup.names if name != host.id]
        shape = self.tape.pick([name for name in _AMBUSHES if name in self._mix])
        if shape == "partition":
            for _ in range(self.tape.draw(3)):  # it may keep one or two others
                others.remove(self.tape.pick(others))
            self._cut(both([host.id], others))
        elif shape == "kill":
            host.crash("is killed at a bad time")
            self._later(self._start, host)
        elif shape == "pause":
            host.pause()
            self.sim.tell(host.id, f"is paused for {self._later(Host.resume, host)} ms")
        else:
            self.membership()

    # --- choosing -----------------------------------------------------------------------

    def _anyone(self) -> Host:
        """A server; the leader as often as all others together."""
        leader = self.sim.leader()
        if leader is not None and self.tape.draw(2):
            return leader
        return self.tape.pick(self._hosts())

    def _hosts(self) -> Sequence[Host]:
        return tuple(self.sim.hosts.values())

    def _later(self, do: Callable[[Host], None], host: Host) -> int:
        duration = self.tape.pick(_DURATIONS_MS)
        self.world.after(duration * MILLISECOND, do, host)
        return duration

    def _start(self, host: Host) -> None:
        if host.status in (Status.DOWN, Status.FULL) and not self._healed:
            host.disk.full = False
            host.start()

    # --- the faults ---------------------------------------------------------------------

    def kill(self) -> None:
        """Crash one server, in the midst of something or not, or several at once."""
        shape = self.tape.draw(6)
        if shape >= 4:
            hosts = self._hosts()
            victims = hosts if shape == 5 else hosts[: 1 + self.sim.setup.servers // 2]
            self.fired["several killed"] += 1
            for host in victims:
                host.crash("is killed with others")
                self._later(self._start, host)
            return
        host = self._anyone()
        self.fired["kill"] += 1
        if shape < 2:
            host.crash("is killed")
        elif host.status is Status.UP:
            host.doom = Doom.UNSYNCED if shape == 2 else Doom.SYNCED
        self._later(self._start_doomed, host)

    def _start_doomed(self, host: Host) -> None:
        """Start a server again; one that has not come to its write yet is killed by and by, or not at all."""
        host.doom = None
        self._start(host)

    def pause(self) -> None:
        """Let a server stand still for a while."""
        host = self._anyone()
        self.fired["pause"] += 1
        host.pause()
        duration = self._later(Host.resume, host)
        self.sim.tell(host.id, f"is paused for {duration} ms")

    def partition(self) -> None:
        """Cut some links for a while, each in one direction or both."""
        names = self.sim.setup.names
        shape = self.tape.draw(9)
        one = self._anyone().id
        others = [name for name in names if name != one]
        links = self._shape(shape, one, others, names)
        self.fired["partition"] += 1
        self._cut(links)

    def _cut(self, links: list[Link]) -> None:
        self.sim.network.cut(links)
        duration = self.tape.pick(_DURATIONS_MS)
        self.sim.tell("", f"links are cut for {duration} ms: {' '.join(f'{a}>{b}' for a, b in links)}")
        self.world.after(duration * MILLISECOND, self._mend, links)

    def _shape(self, shape: int, one: str, others: list[str], names: Sequence[str]) -> list[Link]:
        if shape == 0:  # between two servers only
            return both([one], [self.tape.pick(others)])
        if shape == 1:  # one hears nobody
            return [(other, one) for other in others]
        if shape == 2:  # nobody hears one
            return [(one, other) for other in others]
        if shape == 3:
            return both([one], others)
        if shape == 8:  # any, each way by itself
            return [(a, b) for a in names for b in names if a != b and self.tape.draw(2)]
        left = [name for name in names if self.tape.draw(2)]
        right = [name for name in names if name not in left]
        if shape == 4:
            return both(left, right)
        if shape == 5:  # one hears and is heard by both sides
            return both([name for name in left if name != one], [name for name in right if name != one])
        if shape == 6:  # all but one talk with that one only
            return [link for pair in combinations(others, 2) for link in both([pair[0]], [pair[1]])]
        k = len(names)  # each talks with its two neighbours
        return [(a, b) for i, a in enumerate(names) for j, b in enumerate(names) if (i - j) % k not in (0, 1, k - 1)]

    def _mend(self, links: list[Link]) -> None:
        if not self._healed:
            self.sim.network.mend(links)
            self.sim.tell("", "links are mended")

    def isolate(self) -> None:
        """Cut the leader off, so that another may lead while it thinks that it does; it may stand still at first."""
        leader = self.sim.leader()
        if leader is None:
            return
        self.fired["isolated leader"] += 1
        after_ms = 0
        if self.tape.draw(2):
            after_ms = self.tape.draw(400)  # what was on its way reaches it, and waits
            leader.pause()
            stands_ms = after_ms + 400 + self.tape.draw(2000)
            self.world.after(stands_ms * MILLISECOND, Host.resume, leader)
            self.sim.tell(leader.id, f"is paused for {stands_ms} ms")
        self.world.after(1 + after_ms * MILLISECOND, self._cut_off, leader)

    def _cut_off(self, host: Host) -> None:
        if not self._healed:
            self._cut(both([host.id], [name for name in self.sim.setup.names if name != host.id]))

    def network(self) -> None:
        """Lose, double and delay some messages for a while."""
        draw = self.tape.draw
        self.fired["bad network"] += 1
        spread_us = MILLISECOND * self.sim.setup.spread_ms
        late = draw(self.tape.pick((100, 600)))
        quality = Quality(draw(200), draw(100), late, 50 + draw(3000), spread_us=spread_us)
        self.sim.network.quality = quality
        self.sim.tell("", f"the network is bad: {quality}")
        self.world.after(self.tape.pick(_DURATIONS_MS) * MILLISECOND, self._good, quality)

    def _good(self, quality: Quality) -> None:
        if self.sim.network.quality is quality:
            self.sim.network.quality = Quality(spread_us=MILLISECOND * self.sim.setup.spread_ms)

    def disk(self) -> None:
        """Make a disk slow, full, failing, or rotten."""
        host = self._anyone()
        shape = self.tape.draw(4)
        if shape == 0:
            self.fired["slow disk"] += 1
            host.disk.slowness = 10 + self.tape.draw(200)
            self._later(self._fast, host)
        elif shape == 1:
            self.fired["full disk"] += 1
            host.disk.full = True
            self._later(self._start, host)
        elif shape == 2:
            self.fired["failing sync"] += 1
            host.disk.failing = True
            self._later(self._start, host)
        elif self._may_rot(host) and host.disk.rot(self.tape):
            self.fired["rot"] += 1
            self.sim.tell(host.id, "a bit of its disk is turned")

    def _fast(self, host: Host) -> None:
        host.disk.slowness = 1

    def _may_rot(self, host: Host) -> bool:
        """No more than a minority, so that the others can go on."""
        rotten = [other for other in self._hosts() if other.disk.is_rotten and other is not host]
        return len(rotten) < (self.sim.setup.servers - 1) // 2

    def clock(self) -> None:
        """Let a clock run fast or slow within the bound, or, where nothing rests on that, beyond it, or jump."""
        host = self._anyone()
        self.fired["clock drift"] += 1
        self._drift(host)
        if not self.sim.setup.drift_kept and self.tape.draw(4) == 3:
            host.clock.jump(MILLISECOND * self.tape.draw(3000))
            self.fired["clock jump"] += 1

    def _drift(self, host: Host) -> None:
        kept = self.sim.setup.drift_kept
        bound = round((self.sim.setup.options.drift if kept else 0.5) * 1000)
        part = self.tape.draw(2 * bound + 1)
        drift = (part + 1) // 2 if part % 2 else -(part // 2)
        host.clock.run_at(self.world.now, 1_000_000 + drift * 1000)
        self.sim.tell(host.id, f"its clock runs {drift / 10:+.1f}% off")

    def membership(self) -> None:
        """Ask the leader for other members, at once or in one step; it may refuse."""
        leader = self.sim.leader()
        if leader is None or leader.raft is None:
            return
        now = leader.raft.configuration
        spare = [name for name in self.sim.setup.names if name not in now.voters]
        single = self.tape.draw(2) == 0
        target = self._one_more_or_less(now, spare) if single else self._some(now)
        if target is not None:
            self.fired["single change" if single else "joint change"] += 1
            self.sim.tell(leader.id, f"is asked for members {','.join(target.voters)}, learners {','.join(target.learners)}{' in one step' if single else ''}")
            leader.change(target, single=single)

    def _one_more_or_less(self, now: Configuration, spare: list[str]) -> Configuration | None:
        voters, learners = list(now.members.voters), list(now.learners)
        shape = self.tape.draw(3)
        if shape == 0 and spare:  # a learner comes, or goes
            name = self.tape.pick(spare)
            learners = [n for n in learners if n != name] if name in learners else [*learners, name]
        elif shape == 1 and spare:
            name = self.tape.pick(spare)
            voters, learners = [*voters, name], [n for n in learners if n != name]
        elif len(voters) > 1:
            voters.remove(self.tape.pick(voters))
        else:
            return None
        return Configuration(Members(tuple(voters)), tuple(learners))

    def _some(self, now: Configuration) -> Configuration | None:
        names = self.sim.setup.names
        among = self.tape.pick((4, 6))  # a quarter of the servers come or go, or half
        parts = {name: self.tape.draw(among) for name in names}
        voters = [name for name in names if (name in now.voters) != (parts[name] >= 3)]
        learners = [name for name in names if name not in voters and parts[name] == 2]
        return Configuration(Members(tuple(voters)), tuple(learners)) if voters else None

    def transfer(self) -> None:
        """Ask the leader to hand over."""
        leader = self.sim.leader()
        if leader is not None:
            to = self.tape.pick(self.sim.setup.names)
            self.fired["transfer"] += 1
            self.sim.tell(leader.id, f"is asked to hand over to {to}")
            leader.command(Transfer(to))

    # --- the end ------------------------------------------------------------------------

    def heal(self) -> None:
        """No more faults: links, clocks and disks are good again, and every server runs."""
        self._healed = True
        self.sim.tell("", "all faults heal")
        self.sim.network.mend_all()
        self.sim.network.quality = Quality()
        for host in self._hosts():
            host.doom = None
            host.disk.repair()
            host.clock.run_at(self.world.now, SECOND)
            host.resume()
            if host.status is not Status.UP:
                host.start()


def both(left: Sequence[str], right: Sequence[str]) -> list[Link]:
    """All links between two sides, in both directions."""
    return [link for a in left for b in right for link in ((a, b), (b, a))]


_ACTIONS: dict[str, Callable[[Faults], None]] = {
    "kill": Faults.kill, "pause": Faults.pause, "partition": Faults.partition, "isolate": Faults.isolate, "network": Faults.network,
    "disk": Faults.disk, "clock": Faults.clock, "membership": Faults.membership, "transfer": Faults.transfer,
}  # fmt: skip
