"""ABD, as it runs: who writes asks a majority for the latest timestamp first, and who reads stores what it has read."""

from __future__ import annotations

from scrutator.impl.ladder.client import Wish
from scrutator.impl.ladder.design import Design, Judged, Run
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.shop import names
from scrutator.impl.ladder.sign import Latest, Node, Reader, Stamp, reads
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant

WRITES_EACH = 2


class TwoPhases(Reader):
    """A reader, or the base of a writer: asks, then stores."""

    def start(self) -> None:
        super().start()
        self.read: Latest | None = None

    def heard(self, found: Latest) -> None:
        self.read = found
        if self.is_mutant("without_write_back"):
            self.answer(found.price)
        else:
            self.store(found.stamp, found.price)

    def is_stored(self) -> None:
        assert self.read is not None
        self.answer(self.read.price)


class Writer(TwoPhases):
    """Writes under a timestamp later than all that it heard of."""

    def start(self) -> None:
        super().start()
        self.stamp: Stamp | None = None  # of the write under way
        self.writes_begun = 0

    def wishes(self) -> list[Wish]:
        return [("write", f"{self.name}.{k + 1}") for k in range(WRITES_EACH)]

    def call(self, wish: Wish) -> None:
        self.stamp = None
        super().call(wish)

    def heard(self, found: Latest) -> None:
        if self.operation is None or self.operation.method == "read":
            super().heard(found)
            return
        if self.stamp is None:  # a second attempt is the same write once more
            self.writes_begun += 1
            self.stamp = (self.writes_begun if self.is_mutant("does_not_ask_first") else found.stamp[0] + 1, self.name)
            self.note("stamp", self.operation.argument, self.stamp)
        self.store(self.stamp, self.operation.argument)

    def is_stored(self) -> None:
        if self.operation is not None and self.operation.method == "read":
            super().is_stored()
        else:
            self.answer(None)


def cast(stage: Stage) -> None:
    nodes = names("n", stage.variant.number("nodes"))
    for name in nodes:
        Node(stage, name)
    clients: list[TwoPhases] = [Writer(stage, name) for name in names("w", stage.variant.number("writes"))]
    for client in [*clients, *(TwoPhases(stage, name) for name in names("r", stage.variant.number("reads")))]:
        client.nodes = nodes


def faults(variant: Variant) -> Faults:
    nodes = names("n", variant.number("nodes"))
    return Faults(variant.number("failures"), nodes, repairs=False, clients=variant.number("crashes"), lossy=True, late_ms=200)


# --- what a run shows -----------------------------------------------------------------------


def timestamps_are_unique(run: Run) -> bool:
    """No two writes take the same timestamp."""
    taken = [stamp for _, (_, stamp) in run.notes("stamp")]
    return len(set(taken)) == len(taken)


def everybody_can_finish(run: Run) -> bool:
    """When all has healed, whoever has not crashed is answered."""
    return all(run.asked_last.values())


def unfinished_write_is_read(run: Run) -> bool:
    """A read returns what a crashed writer left behind."""
    left = {o.argument for o in run.operations if o.method == "write" and o.returned_us is None and o.client in run.crashed}
    return any(r.result in left for r in reads(run))


DESIGN = Design(
    "abd", cast, faults,
    {
        "follows_real_time": Judged.LINEARIZABLE, "no_read_is_stale": Judged.LINEARIZABLE,
        "timestamps_are_unique": timestamps_are_unique, "everybody_can_finish": everybody_can_finish,
        "unfinished_write_is_read": unfinished_write_is_read,
    },
    object_name="register",
)  # fmt: skip
