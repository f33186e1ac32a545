"""A model's mistakes are found where they are made, and named with place and value."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest

from scrutator.model.language import (
    Array,
    Bound,
    Index,
    Links,
    Maybe,
    ModelError,
    Nat,
    Network,
    Record,
    Seq,
    Set,
    Spec,
    SpecError,
    Volatile,
    require,
)
from scrutator.model.language.interpret import Interpreter

NODES = Bound("nodes", 3, "nodes")
HIGH = Bound("high", 4, "the largest number")
NODE = Index("node", NODES, interchangeable=True)


class Colour(Enum):
    RED = 0
    GREEN = 1


class Ping(Record):
    dst = NODE
    hop = Nat(HIGH)


class Pong(Record):
    src = NODE


class Unsent(Record):
    src = NODE


class State(Record):
    count = Nat(HIGH)
    colour = Volatile(Colour)
    by_node = Array(NODE, Nat(HIGH))
    lost = Array(NODE, Volatile(Nat(HIGH)))
    owner = Maybe(NODE)
    queue = Seq(Nat(HIGH), 2)
    seen = Set(NODE)
    net = Network(Ping, Pong, ordering="set", capacity=2)
    bag = Network(Unsent, ordering="bag", capacity=3)


def after(body: Callable[[Any], None]) -> Any:
    """The state after one action with this body."""
    spec = Spec("test", State)
    spec.action()(body)
    interpreter = Interpreter(spec.bind())
    successors = list(interpreter.successors(next(interpreter.initial_states())))
    return successors[0].state if successors else None


# --- writes -----------------------------------------------------------------------------


def write_beyond(s: State) -> None:
    s.count = 5


def write_negative(s: State) -> None:
    s.by_node[1] = s.by_node[1] - 1


def write_other_type(s: State) -> None:
    s.colour = 1


def write_bool_for_number(s: State) -> None:
    s.count = True


def write_unknown_field(s: State) -> None:
    s.cuont = 1


def read_unknown_field(s: State) -> None:
    s.count = s.cuont


def index_beyond(s: State) -> None:
    s.by_node[3] = 1


def index_negative(s: State) -> None:
    s.queue.append(1)
    s.count = s.queue[-1]


def overflow(s: State) -> None:
    for _ in range(3):
        s.queue.append(1)


def pop_nothing(s: State) -> None:
    s.queue.pop()


def append_misfit(s: State) -> None:
    s.queue.append(9)


def add_misfit(s: State) -> None:
    s.seen.add(7)


def remove_absent(s: State) -> None:
    s.seen.remove(0)


def receive_absent(s: State) -> None:
    s.net.receive(Pong(src=0))


def send_elsewhere(s: State) -> None:
    s.net.send(Unsent(src=0))


def message_misfit(s: State) -> None:
    s.net.send(Ping(dst=0, hop=5))


def message_incomplete(s: State) -> None:
    s.net.send(Ping(dst=0))


def change_message(s: State) -> None:
    m = Ping(dst=0, hop=1)
    m.hop = 2


def require_number(s: State) -> None:
    require(s.count)


def change_then_refuse(s: State) -> None:
    s.count = 1
    require(s.colour == Colour.GREEN)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (write_beyond, ["count = 5", "0..4"]),
        (write_negative, ["by_node[n2] = -1", "0..4"]),
        (write_other_type, ["colour = 1", "Colour", "RED, GREEN"]),
        (write_bool_for_number, ["count = True", "not a number"]),
        (write_unknown_field, ["no field cuont", "count, colour"]),
        (read_unknown_field, ["no field cuont"]),
        (index_beyond, ["by_node[3]", "no node number 3", "0..2"]),
        (index_negative, ["queue[-1]", "counted from 0"]),
        (overflow, ["queue.append(1)", "full", "capacity is 2"]),
        (pop_nothing, ["queue[-1]", "0 elements"]),
        (append_misfit, ["queue[0] = 9", "0..4"]),
        (add_misfit, ["seen.add(7)", "no node number 7"]),
        (remove_absent, ["seen.remove(0)", "not there"]),
        (receive_absent, ["net.receive", "Pong(src=n1)", "not in flight"]),
        (send_elsewhere, ["net.add", "none of Ping, Pong"]),
        (message_misfit, ["Ping.hop", "5 is outside of 0..4"]),
        (message_incomplete, ["Ping", "missing hop"]),
        (change_message, ["hop of a Ping cannot be changed"]),
        (require_number, ["require(0)", "True or False"]),
        (change_then_refuse, ["change_then_refuse", "put every require before the first change"]),
    ],
)
def test_a_mistake_names_place_and_value(body: Callable[[Any], None], words: list[str]) -> None:
    with pytest.raises(ModelError) as error:
        after(body)
    for word in [*words, body.__name__, "test_language.py:"]:
        assert word in str(error.value)


# --- what is allowed --------------------------------------------------------------------


def test_places_keep_their_values_and_lose_what_is_volatile() -> None:
    def body(s: State) -> None:
        s.count = 4
        s.colour = Colour.GREEN
        s.owner = 2
        for n in NODE:
            s.by_node[n] = n + 1
            s.lost[n] = n + 1
        s.lose_volatile(1)

    s = after(body)
    assert (s.count, s.colour, s.owner) == (4, Colour.GREEN, 2)
    assert list(s.by_node) == [1, 2, 3]
    assert list(s.lost) == [1, 0, 3]


def test_sequences_are_cut_copied_and_compared() -> None:
    def body(s: State) -> None:
        s.queue.append(1)
        s.queue.append(2)
        s.count = s.queue.pop(0)
        before = s.queue[0:1]
        del s.queue[0:]
        s.queue.append(s.count)
        s.colour = Colour.GREEN if before == s.queue else Colour.RED

    s = after(body)
    assert (s.count, list(s.queue), s.colour) == (1, [1], Colour.RED)


def test_sets_hold_an_element_once_and_bags_count() -> None:
    def body(s: State) -> None:
        for _ in range(2):
            s.seen.add(1)
            s.net.send(Pong(src=1))
            s.bag.send(Unsent(src=1))
        s.bag.receive(Unsent(src=1))
        s.bag.send(Unsent(src=0))
        s.seen.discard(0)

    s = after(body)
    assert (len(s.seen), len(s.net), len(s.bag)) == (1, 1, 2)


def test_a_full_network_refuses_the_step_and_counts_it() -> None:
    def body(s: State) -> None:
        for n in NODE:
            s.net.send(Pong(src=n))

    spec = Spec("test", State)
    spec.action()(body)
    interpreter = Interpreter(spec.bind())
    assert list(interpreter.successors(interpreter.blank())) == []
    assert interpreter.truncated == {"net": 1}


def test_a_refused_action_has_no_successor() -> None:
    def body(s: State) -> None:
        require(s.count > 0)

    assert after(body) is None


def test_messages_are_enumerated_by_kind_and_in_order() -> None:
    spec = Spec("test", State)

    @spec.initial()
    def some(s: State) -> None:
        s.net.send(Pong(src=2))
        s.net.send(Pong(src=1))

    @spec.action(m=Pong)
    def take(s: State, m: Any) -> None:
        s.net.receive(m)
        s.count = m.src

    @spec.action(m=Ping)
    def never(s: State, m: Any) -> None:
        s.count = 4

    interpreter = Interpreter(spec.bind())
    successors = interpreter.successors(next(interpreter.initial_states()))
    assert [(s.action, s.state.count) for s in successors] == [(0, 1), (0, 2)]


# --- properties ---------------------------------------------------------------------------


def test_a_property_must_not_change_the_state() -> None:
    def meddles(s: State) -> bool:
        s.count = 1
        return True

    with pytest.raises(ModelError, match=r"count|meddles") as error:
        holds(meddles)
    assert "properties must not change the state" in str(error.value)


def test_a_property_is_true_or_false() -> None:
    def vague(s: State) -> bool:
        return s.count  # type: ignore[return-value]

    with pytest.raises(ModelError, match="vague returned 0, not True or False"):
        holds(vague)


def holds(function: Callable[[Any], bool]) -> bool:
    spec = Spec("test", State)
    spec.action()(write_beyond)
    spec.invariant(function)
    model = spec.bind()
    interpreter = Interpreter(model)
    return interpreter.holds(model.properties[0].function, interpreter.blank())


# --- binding ------------------------------------------------------------------------------


def spec_with(body: Callable[[Any], None] = write_beyond) -> Spec:
    spec = Spec("test", State)
    spec.action()(body)
    return spec


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"node": 3}, "test has no bound node; did you mean nodes?"),
        ({"nodes": "three"}, "nodes=three: not a whole number"),
        ({"nodes": -1}, "nodes=-1: must be between 0 and"),
        ({"nodes": 0}, "node: 0 of them"),
        ({"nodes": 65}, "node: 65 of them"),
    ],
)
def test_unfit_bounds_are_refused(bounds: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match="^" + message.replace("?", r"\?")):
        spec_with().bind(bounds)


def test_bounds_reach_types_loops_and_sums() -> None:
    def body(s: State) -> None:
        s.count = NODES + len(NODE)
        s.owner = NODES - 1

    spec = spec_with(body)
    assert [b.name for b in spec.bounds] == ["nodes", "high"]
    interpreter = Interpreter(spec.bind({"nodes": 2}))
    (successor,) = interpreter.successors(interpreter.blank())
    assert (successor.state.count, successor.state.owner, len(successor.state.by_node)) == (4, 1, 2)


def test_a_mutant_replaces_a_function_wherever_it_is_called() -> None:
    def step_size(s: State) -> int:
        return 1

    def advance(s: State) -> None:
        s.count += step_size(s)

    spec = spec_with(advance)

    @spec.invariant
    def small(s: State) -> bool:
        return s.count < 3

    @spec.mutant(replaces=step_size, breaks="small", bounds={"nodes": 2})
    def leap(s: State) -> int:
        """Leaps, by more than the original does."""
        return step_size(s) + 2

    assert [m.doc for m in spec.mutants] == ["Leaps, by more than the original does."]
    for mutant, count in ((None, 1), ("leap", 3)):
        model = spec.bind(mutant=mutant)
        interpreter = Interpreter(model)
        (successor,) = interpreter.successors(interpreter.blank())
        assert successor.state.count == count
        assert interpreter.holds(model.properties[0].function, successor.state) is (mutant is None)
    assert spec.bind(mutant="leap").bounds["nodes"] == 2
    with pytest.raises(SpecError, match=r"no mutant leep; did you mean leap\?"):
        spec.bind(mutant="leep")
    with pytest.raises(SpecError, match="mutant other: there is no property smal for it to break"):
        spec.mutant(replaces=step_size, breaks="smal", name="other")(leap)


def test_declarations_that_do_not_fit_are_refused() -> None:
    spec = Spec("test", State)
    with pytest.raises(SpecError, match="must take the state and then j"):
        spec.action(j=NODE)(lambda s, i: None)
    with pytest.raises(SpecError, match="takes the state"):
        spec.invariant(lambda a, b: True)
    with pytest.raises(SpecError, match="takes the states before and after"):
        spec.step_invariant(lambda a: True)
    with pytest.raises(SpecError, match="test has no actions"):
        spec.bind()
    with pytest.raises(SpecError, match="use Links"):
        Network(Ping, ordering="fifo")
    with pytest.raises(SpecError, match="not a type"):
        Array(NODE, 7)


def test_a_message_class_must_travel_on_one_network() -> None:
    class Stray(Record):
        src = NODE

    spec = Spec("test", State)
    spec.action(m=Stray)(lambda s, m: None)
    with pytest.raises(SpecError, match="Stray travels on no network of the state"):
        spec.bind()


class Hop(Record):
    src = NODE
    dst = NODE


class LinkState(Record):
    links = Links(NODE, Hop, capacity=1)


def test_links_are_first_in_first_out_and_bounded() -> None:
    spec = Spec("test", LinkState)

    @spec.action()
    def send(s: LinkState) -> None:
        s.links.send(Hop(src=0, dst=1))

    @spec.action(m=Hop)
    def receive(s: LinkState, m: Any) -> None:
        s.links.receive(m)

    interpreter = Interpreter(spec.bind())
    (sent,) = interpreter.successors(interpreter.blank())
    assert len(sent.state.links) == 1
    (received,) = interpreter.successors(sent.state)
    assert (received.action, len(received.state.links)) == (1, 0)
    assert interpreter.truncated == {"links": 1}


def test_decorators_work_with_and_without_parentheses() -> None:
    spec = Spec("test", State)

    @spec.initial
    def one(s: State) -> None:
        s.count = 1

    @spec.action
    def more(s: State) -> None:
        require(s.count == 1)
        s.count = 2

    @spec.fault()
    def less(s: State) -> None:
        require(s.count == 2)
        s.count = 0

    interpreter = Interpreter(spec.bind())
    start = next(interpreter.initial_states())
    (second,) = interpreter.successors(start)
    (third,) = interpreter.successors(second.state)
    assert (start.count, second.state.count, third.state.count) == (1, 2, 0)
