"""A stage for small actors: virtual time, a network, crashes and partitions, all drawn from one tape.

The law: actors share nothing and speak by messages alone.  A crash takes everything from an actor but what
it declares durable; what it sent may be lost with it.  All that happens is on the list of events, in order.
"""

from __future__ import annotations

from collections.abc import Callable

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.happening import Event, Happening, Message, Operation
from scrutator.impl.ladder.variant import Variant
from scrutator.impl.sim.network import Network
from scrutator.impl.sim.tape import Tape
from scrutator.impl.sim.world import World

Letter = tuple[str, str, Message, int]  # from, to, what, number


Doom = tuple[int, Callable[[Actor], None]]  # what happens to an actor once it has acted so often


class Stage:
    """Actors, and the world they act in."""

    def __init__(self, variant: Variant, tape: Tape) -> None:
        self.variant, self.tape = variant, tape
        self.world = World()
        self.network = Network(self.world, tape)
        self.actors: dict[str, Actor] = {}
        self.events: list[Event] = []
        self.doom: dict[str, list[Doom]] = {}
        self.aim: str | None = None  # a kind of note
        self.aimed: list[Doom] = []  # for whoever notes that, one after the other
        self.operations: list[Operation] = []  # in order of call
        self._letters = self._processes = 0

    def process(self) -> int:
        """A process that has not been yet."""
        self._processes += 1
        return self._processes - 1

    def last_operation_of(self, client: str) -> Operation:
        """What a client called last."""
        return next(o for o in reversed(self.operations) if o.client == client)

    def add(self, actor: Actor) -> None:
        """Put an actor on the stage; called by the actor itself."""
        if actor.name in self.actors:
            raise ValueError(f"two actors are called {actor.name}")
        self.actors[actor.name] = actor

    def record(
        self, kind: Happening, actor: str, what: Message | tuple[object, ...] = (), peer: str | None = None, letter: int | None = None
    ) -> None:
        self.events.append(Event(self.world.now, kind, actor, what, peer, letter))

    def send(self, src: str, dst: str, message: Message) -> None:
        self._letters += 1
        self.record("send", src, message, dst, self._letters)
        self.network.send(src, dst, self._deliver, (src, dst, message, self._letters))

    def _deliver(self, letter: Letter) -> None:
        src, dst, message, number = letter
        actor = self.actors[dst]
        if actor.up:
            self.record("receive", dst, message, src, number)
            actor.receive(src, message)
            self.acted(actor)

    def noted(self, actor: Actor, kind: object) -> None:
        """An actor has noted something: what was aimed at such an actor is for this one."""
        if kind == self.aim and self.aimed:
            acts, strike = self.aimed.pop(0)
            self.doom.setdefault(actor.name, []).append((actor.handled + acts, strike))

    def acted(self, actor: Actor) -> None:
        """An actor has handled something: what was to strike it then strikes now."""
        actor.handled += 1
        doom = self.doom.get(actor.name)
        while doom and doom[0][0] <= actor.handled:
            doom.pop(0)[1](actor)
