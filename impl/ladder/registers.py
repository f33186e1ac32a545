"""Registers with W + R > N, as they run: a writer waits for W nodes, a reader for R, and takes the latest."""

from __future__ import annotations

from scrutator.impl.ladder.client import Wish
from scrutator.impl.ladder.design import Design, Run
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.happening import Operation
from scrutator.impl.ladder.shop import names
from scrutator.impl.ladder.sign import Node, Reader, precedes, price, reads, stamps, writes
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant
from scrutator.impl.sim.world import MILLISECOND

WRITES_EACH = 2
CLOCKS_MS = 200  # by how much clocks that disagree are fast


class Writer(Reader):
    """Takes timestamps from a clock."""

    def start(self) -> None:
        super().start()
        self.fast_us = 0 if self.variant.flag("clocks_agree") else self.stage.tape.draw(CLOCKS_MS) * MILLISECOND
        self.price, self.stamp = "", (0, "")

    def wishes(self) -> list[Wish]:
        return [("write", f"{self.name}.{k + 1}") for k in range(WRITES_EACH)]

    def ask(self, operation: Operation) -> None:
        if operation.method == "read":
            super().ask(operation)
            return
        assert operation.argument is not None
        if operation.argument != self.price:  # else it is the same write once more
            self.price, self.stamp = operation.argument, (self.stage.world.now + self.fast_us, self.name)
            self.note("stamp", self.price, self.stamp)
        self.stored = set()
        self.store(self.stamp, self.price)

    def is_stored(self) -> None:
        self.answer(None)


def cast(stage: Stage) -> None:
    nodes = names("n", stage.variant.number("nodes"))
    for name in nodes:
        Node(stage, name)
    clients = [Writer(stage, name) for name in names("w", stage.variant.number("writes"))]
    for client in [*clients, *(Reader(stage, name) for name in names("r", stage.variant.number("reads")))]:
        client.nodes = nodes


def faults(variant: Variant) -> Faults:
    return Faults(clients=variant.number("failures"), lossy=True, late_ms=200)


# --- what a run shows -----------------------------------------------------------------------


def finished_writes_are_seen(run: Run) -> bool:
    """A read does not return a price that a write had replaced, and finished, before the read began."""
    written = {w.argument: w for w in run.operations if w.method == "write"}

    def was_replaced(old: str | None, w: Operation) -> bool:
        return old is None or precedes(written[old], w)

    return not any(was_replaced(price(r), w) for r in reads(run) for w in writes(run) if precedes(w, r))


def reads_never_go_back(run: Run) -> bool:
    """A read does not return an older price than a read that had returned before."""
    stamp = stamps(run)
    return all(stamp[price(later)] >= stamp[price(r)] for later in reads(run) for r in reads(run) if precedes(r, later))


def failed_writes_stay_unseen(run: Run) -> bool:
    """No read returns what a writer did not finish because it crashed."""
    failed = {o.argument for o in run.operations if o.method == "write" and o.returned_us is None and o.client in run.crashed}
    return all(r.result not in failed for r in reads(run))


def later_write_wins(run: Run) -> bool:
    """A write does not begin with an earlier timestamp than one that was finished before."""
    stamp = stamps(run)
    begun = [o for o in run.operations if o.argument in stamp and o.method == "write"]
    return all(stamp[w.argument] > stamp[before.argument] for w in begun for before in writes(run) if precedes(before, w))


DESIGN = Design(
    "registers", cast, faults,
    {
        "finished_writes_are_seen": finished_writes_are_seen, "reads_never_go_back": reads_never_go_back,
        "failed_writes_stay_unseen": failed_writes_stay_unseen, "later_write_wins": later_write_wins,
    },
    object_name="register",
)  # fmt: skip
