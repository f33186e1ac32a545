"""Our own format: what it means, and every mistake in its line."""

from __future__ import annotations

import pytest

from scrutator.model.quorums import Kind, QuorumError, parse

WHOLE = """\
name = "two regions"
rules = "raft"

[nodes]
a = { region = "eu", capacity = 1000, latency_ms = 5, failure = 0.01 }
b = { region = "eu", read_capacity = 2000, write_capacity = 500, weight = 2 }
c = { region = "us", latency_s = 0.08 }

[nodes.w]
region = "us"
kind = "witness"

[nodes."l-1"]
kind = "learner"

[groups]
old = ["a", "b"]

[quorums]
election = "weighted_majority"  # 3 of 5
commit = "majority(old)*c + choose(3, eu, us)"
"""


def declared(quorums: str, nodes: str = 'nodes = ["a", "b", "c"]') -> str:
    return f"{nodes}\n[quorums]\n{quorums}\n"


def test_everything_at_once(reading) -> None:
    system = reading(WHOLE, name="q.toml")
    assert system.name == "two regions"
    assert str(system.roles["election"]) == "weighted(3, a, 2*b, c, w)"
    assert str(system.roles["commit"]) == "a*b*c + majority(a, b, c, w)"
    assert [str(rule) for rule in system.rules] == ["election & election", "election & commit", "commit & data"]
    a, b, c = system.node("a"), system.node("b"), system.node("c")
    assert (a.region, a.read_capacity, a.write_capacity, a.latency_s, a.failure) == ("eu", 1000, 1000, 0.005, 0.01)
    assert (b.read_capacity, b.write_capacity, c.latency_s, c.failure) == (2000, 500, 0.08, None)
    assert (system.node("w").kind, system.node("l-1").kind) == (Kind.WITNESS, Kind.LEARNER)
    assert system.notes == (
        "nodes without a weight weigh 1",
        "w: a witness votes and acknowledges, but holds no data",
        "l-1: a learner receives, but never counts",
    )


@pytest.mark.parametrize(
    ("quorums", "role", "meaning"),
    [
        ('quorum = "majority"', "quorum", "majority(a, b, c)"),
        ('quorum = "2"', "quorum", "choose(2, a, b, c)"),
        ('read = "a*b"\nwrite = "dual"', "write", "a + b"),
        ('quorum = "choose(2, a, \'b\', c)"', "quorum", "choose(2, a, b, c)"),
        ('phase1 = "weighted(3, 2*a, b, c)"\nphase2 = "dual(weighted(3, 2*a, b, c))"', "phase2", "weighted(2, 2*a, b, c)"),
    ],
)
def test_expressions_are_those_of_the_parser(reading, quorums: str, role: str, meaning: str) -> None:
    assert reading(declared(quorums)).roles[role] == parse(meaning)


def test_a_bare_majority_leaves_learners_out(reading) -> None:
    system = reading(declared('quorum = "majority"', "[nodes]\na = {}\nb = {}\nc = {kind = 'learner'}"))
    assert str(system.roles["quorum"]) == "a*b"
    assert "a bare majority, all, any or number ranges over the nodes that are not learners" in system.notes


def test_groups_and_regions_are_lists(reading) -> None:
    nodes = "[nodes]\n" + "".join(f"n{k} = {{ region = 'r{k % 2}', weight = {k} }}\n" for k in range(1, 5)) + "[groups]\nall3 = ['n1', 'n2', 'n3']"
    system = reading(declared('read = "grid(r0, r1)"\nwrite = "weighted_majority(all3)"', nodes))
    assert system.roles["read"] == parse("grid([n2, n4], [n1, n3])")
    assert system.roles["write"] == parse("weighted(4, n1, 2*n2, 3*n3)")
    assert any("n1 is in the groups" in note for note in system.notes) is False


def test_a_node_in_two_groups_is_noted(reading) -> None:
    text = 'nodes = ["a", "b", "c"]\n[groups]\nx = ["a", "b"]\ny = ["b", "c"]\n[quorums]\nold = "majority(x)"\nnew = "majority(y)"'
    system = reading(text)
    assert "b is in the groups x and y, and counts in each" in system.notes
    assert str(system.roles["joint"]) == "a*b*b*c"


def test_rules_as_a_list_and_asked_for(reading) -> None:
    text = 'rules = ["phase1 & phase2 >= 2", "flexible-paxos"]\n' + declared('phase1 = "3"\nphase2 = "2"')
    assert [str(rule) for rule in reading(text).rules] == ["phase1 & phase2 >= 2", "phase1 & phase2"]
    system = reading(text, rules=("phase2 & phase2",))
    assert [str(rule) for rule in system.rules] == ["phase2 & phase2"]
    assert any("instead of the file's" in note for note in system.notes)
    with pytest.raises(QuorumError, match="rule phase3"):
        reading(text, rules=("phase3 & phase2",))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (declared('quorum = "majority(a, b, d)"'), 3, "quorum: majority(...): there is no node d: the nodes are a, b, c"),
        (declared('quorum = "a"\nread = "b*x"'), 4, "there is no node x"),
        (declared('quorum = "weighted(2, 0*a, b)"'), 3, "the weight of a is 0: weights are 1 or more"),
        (declared('quorum = "weighted(2, -1*a, b)"'), 3, "the weight of a is -1"),
        (declared('quorum = "weighted(9, 3*a, b)"'), 3, "above the total weight 4"),
        (declared('quorum = "choose(4, a, b, c)"'), 3, "above 3 members"),
        (declared('quorum = "4"'), 3, "a quorum has 1 to 3 nodes"),
        (declared('quorum = ""'), 3, "is not a quorum expression"),
        (declared('quorum = "majority(a, b"'), 3, "is not a quorum expression"),
        (declared("quorum = 2"), 3, 'quorum is 2; it is a text: quorum = "..."'),
        (declared('"" = "majority"'), 3, "'' is not the name of a role"),
        (declared('write = "dual"'), 3, "dual of what?"),
        (declared(""), 2, "no quorums: add a line"),
        (declared('quorum = "a*l"', "[nodes]\na = {}\n[nodes.l]\nkind = 'learner'"), 6, "counts l, a learner"),
        ("nodes = ['a', 'b', 'a']\n[quorums]\nquorum = 'a'", 1, "node a is declared twice"),
        ("nodes = []\n[quorums]\nquorum = 'a'", 1, "no nodes are declared"),
        ("nodes = ['a', 1]\n[quorums]\nquorum = 'a'", 1, "nodes has 1 among its texts"),
        ("nodes = 'a'\n[quorums]\nquorum = 'a'", 1, "nodes is 'a'; it is a table"),
        ("nodes = ['']\n[quorums]\nquorum = 'a'", 1, "a node needs a name"),
        ("[nodes]\na = {}\nb = 3\n[quorums]\nquorum = 'a'", 3, "b is 3; it is a table, written [nodes.b]"),
        ("[nodes]\na = {}\na = {}\n[quorums]\nquorum = 'a'", 3, "a was given before"),
        ("[nodes.a]\n[nodes.b]\n[nodes.a]\n[quorums]\nquorum = 'a'", 3, "given before"),
        ("[nodes]\na = { regoin = 'eu' }\n[quorums]\nquorum = 'a'", 2, "no key of a node regoin: did you mean region?"),
        ("[nodes.a]\nregion = 'eu'\ncapacity = 0\n[quorums]\nquorum = 'a'", 3, "a capacity is above 0"),
        ("[nodes.a]\nregion = 'eu'\nfailure = 1.5\n[quorums]\nquorum = 'a'", 3, "between 0 and 1, not 1.5"),
        ("[nodes.a]\nlatency_ms = nan\n[quorums]\nquorum = 'a'", 2, "a latency is above 0"),
        ("[nodes.a]\nlatency_ms = '5'\n[quorums]\nquorum = 'a'", 2, "latency_ms is '5'; it is a number, without quotes"),
        pytest.param("[nodes.a]\ncapacity = 1" + "0" * 400 + "\n[quorums]\nquorum = 'a'", 2, "too large a number", id="large"),
        ("[nodes.a]\nlatency_ms = 5\nlatency_s = 1\n[quorums]\nquorum = 'a'", 3, "both latency_ms and latency_s"),
        ("[nodes.a]\nread_capacity = 5\n[quorums]\nquorum = 'a'", 2, "a read_capacity alone"),
        ("[nodes.a]\nregion = 5\n[quorums]\nquorum = 'a'", 2, "region is 5; it is a text"),
        ("[nodes.a]\nkind = 'leaner'\n[quorums]\nquorum = 'a'", 2, "did you mean learner"),
        ("[nodes.a]\nweight = 0\n[quorums]\nquorum = 'a'", 2, 'the weight of a is 0; weights are from 1'),
        ("[nodes.a]\nweight = -3\n[quorums]\nquorum = 'a'", 2, 'write kind = "learner"'),
        ("[nodes.a]\nweight = 1.5\n[quorums]\nquorum = 'a'", 2, "weights are whole numbers"),
        ("[nodes.a]\nweight = 2\n[quorums]\nquorum = 'a'", 2, "a has a weight, but no quorum uses it"),
        ("[nodes.a]\n[nodes.b]\nweight = 2\nkind = 'learner'\n[quorums]\nquorum = 'weighted_majority'", 3, "b is a learner"),
        (declared('quorum = "weighted_majority(d)"'), 3, "no group d"),
        ("nodes = ['a']\n[groups]\ng = []\n[quorums]\nquorum = 'a'", 3, "group g is empty"),
        ("nodes = ['a']\n[groups]\ng = ['a', 'b']\n[quorums]\nquorum = 'a'", 3, "group g: there is no node b"),
        ("nodes = ['a']\n[groups]\ng = ['a', 'a']\n[quorums]\nquorum = 'a'", 3, "group g names a twice"),
        ("nodes = ['a']\n[groups]\na = ['a']\n[quorums]\nquorum = 'a'", 3, "a is already a node"),
        ("nodes = ['a']\n[groups]\ngrid = ['a']\n[quorums]\nquorum = 'a'", 3, "grid is already a word"),
        ("nodes = ['a', 'b']\n[groups]\ng = ['a']\n[quorums]\nquorum = 'b*g'", 5, "g is a group: write majority(g)"),
        ("rules = 'raft'\n" + declared('read = "a"\nwrite = "b"'), 1, "the rules of raft are about election, commit"),
        ("rules = 'rafft'\n" + declared('read = "a"\nwrite = "b"'), 1, "did you mean raft?"),
        ("\nrules = ['read & wirte']\n" + declared('read = "a"\nwrite = "b"'), 2, "no role wirte: did you mean write?"),
        ("rules = 3\n" + declared('read = "a"\nwrite = "b"'), 1, "rules is 3; it is a list of texts"),
        (declared('mine = "a"\nyours = "b"'), 2, "which of the roles mine, yours must meet?"),
        ("[quorums]\nquorum = 'a'", 1, "no nodes: add nodes"),
        ("nodes = ['a']\nquorums = 'a'", 2, "quorums is 'a'; it is a table, written [quorums]"),
        ("nodes = ['a']", 1, "no quorums: add [quorums]"),
        ("nodes = ['a']\nqorums = 3", 2, "no key qorums: did you mean quorums?"),
        ("nodes = ['a'\n[quorums]\nquorum = 'a'", 2, "not TOML"),
        ("nodes = ['a']\n[quorums]\nquorum = ", 3, "not TOML: invalid value"),
        pytest.param("nodes = " + "[" * 5000, 1, "nested too deep", id="deep"),
        pytest.param("nodes = 1" + "0" * 5000, 1, "not TOML", id="digits"),
    ],
)  # fmt: skip
def test_mistakes(refusing, text: str, line: int, said: str) -> None:
    message = refusing(text, line, name="q.toml")
    assert said in message, message


def test_writing_out_groups_is_limited(refusing) -> None:
    names = [f"'node{k}'" for k in range(500)]
    text = f"nodes = [{', '.join(names)}]\n[groups]\ng = [{', '.join(names)}]\n[quorums]\nquorum = 'any({', '.join(['g'] * 100)})'"
    assert "longer than 100,000 characters" in refusing(text, 5, name="q.toml")
