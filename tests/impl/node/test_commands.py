"""Commands: what they answer, what they refuse and in which words, and what an answer claims."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from front import STATUS, Front, front

from scrutator.impl.machine import Command, Reply
from scrutator.impl.node.clients import commands_cluster, commands_keys, commands_server
from scrutator.impl.node.clients.commands import slot_of
from scrutator.impl.node.clients.resp import words_of
from scrutator.impl.node.config import Limits
from scrutator.impl.node.requests import Outcome


def request(text: str) -> bytes:
    words = words_of(text.encode())
    assert words is not None
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def answers(dialogue: str, *, prepare=lambda front: None, limits: Limits | None = None, **changes: object) -> list[str]:
    """What a new server answers to the lines, all sent at once; each answer with its line ends shown as |."""

    async def talk() -> bytes:
        async with front(limits, **changes) as place:
            prepare(place)
            async with place.connected() as wire:
                lines = [line for line in dialogue.splitlines() if line.strip()]
                wire.writer.write(b"".join(request(line) + request("ECHO ~") for line in lines) + request("QUIT"))
                return await wire.rest()

    said = asyncio.run(talk()).decode()
    return [answer.removesuffix("\r\n").replace("\r\n", "|") for answer in said.split("$1\r\n~\r\n")[:-1]]


# Each line: a command -> its answer, in order on one connection.
REDIS = r"""
PING -> +PONG
ping hello -> $5|hello
GET a -> $-1
SET a 1 -> +OK
get a -> $1|1
SeT a 2 NX -> $-1
SET b 2 NX -> +OK
SET c 2 XX -> $-1
SET a 3 XX -> +OK
SET a 4 GET -> $1|3
SET a 5 NX GET -> $1|4
SET n 5 NX GET -> $-1
SET a 6 XX GET -> $1|4
SET zz 6 XX GET -> $-1
SET a 7 IFEQ 5 -> $-1
SET a 7 IFEQ 6 -> +OK
SET a 8 IFEQ 7 GET -> $1|7
GETSET a 9 -> $1|8
SETNX a 1 -> :0
SETNX new 1 -> :1
CAS a 9 10 -> :1
CAS a 9 11 -> :0
GETDEL a -> $2|10
GETDEL a -> $-1
EXISTS a b b -> :2
MSET x 1 y 2 x 3 -> +OK
MGET x nope y -> *3|$1|3|$-1|$1|2
DEL x -> :1
UNLINK x y b -> :2
STRLEN n -> :1
APPEND n 7 -> :2
INCR n -> :58
DECR n -> :57
INCRBY n 3 -> :60
DECRBY n 61 -> :-1
INCRBY n 9223372036854775807 -> :9223372036854775806
INCRBY n 2 -> -ERR increment or decrement would overflow
SET t x -> +OK
INCR t -> -ERR value is not an integer or out of range
INCRBY n x -> -ERR value is not an integer or out of range
DECRBY n -9223372036854775808 -> -ERR decrement would overflow
DBSIZE -> :3
SELECT 0 -> +OK
SELECT 1 -> -ERR DB index is out of range: there is only 0
GET -> -ERR wrong number of arguments for 'get' command
GET a b -> -ERR wrong number of arguments for 'get' command
MSET a -> -ERR wrong number of arguments for 'mset' command
MSET a 1 b -> -ERR wrong number of arguments for 'mset' command
FOO a b -> -ERR unknown command 'FOO', with args beginning with: 'a' 'b'
SET a 1 EX 5 -> -ERR EX is not supported: keys do not expire here, for servers' clocks may differ
SET a 1 NX XX -> -ERR syntax error
SET a 1 IFEQ -> -ERR syntax error
SET a 1 HUH -> -ERR syntax error
EXEC -> -ERR EXEC without MULTI
WATCH a -> -ERR WATCH is not supported: CAS and SET IFEQ compare before they set
AUTH secret -> -ERR AUTH called without any password configured: this store has no passwords, connect without one
CLIENT SETNAME me -> +OK
CLIENT GETNAME -> $2|me
CLIENT SETNAME "a b" -> -ERR Client names cannot contain spaces, newlines or special characters, nor more than 256.
CLIENT ID -> :1
CLIENT SETINFO LIB-NAME lib -> +OK
CLIENT WHAT -> -ERR unknown subcommand 'what'. Try one of: SETNAME, GETNAME, SETINFO, LIST, ID, INFO, NO-EVICT, NO-TOUCH
CLIENT SETNAME -> -ERR wrong number of arguments for 'client|setname' command
CLIENT -> -ERR wrong number of arguments for 'client' command
RESET -> +RESET
CLIENT GETNAME -> $-1
CONFIG GET save -> *2|$4|save|$0|
CONFIG GET append* -> *4|$10|appendonly|$3|yes|$11|appendfsync|$6|always
COMMAND INFO get nope -> *2|*10|$3|get|:2|*2|+readonly|+fast|:1|:1|:1|*0|*0|*0|*0|$-1
COMMAND GETKEYS mset a 1 b 2 -> *2|$1|a|$1|b
CLUSTER KEYSLOT {user}.a -> :5474
READONLY -> +OK
SESSION NEW -> :33
ONCE 33 1 APPEND log x -> :1
ONCE 33 1 APPEND log x -> :1
ONCE 33 3 SET log y NX -> $-1
ONCE 33 2 APPEND log x -> -STALE a later command of this session was carried out: whether an earlier attempt of this one was is not known
ONCE 33 4 GET log -> $1|x
ONCE 33 5 INCR log -> -ERR value is not an integer or out of range
ONCE 99 1 INCR i -> -NOSESSION there is no such session, or it has expired: whether an earlier attempt was carried out is not known
ONCE 33 9 PING -> -ERR ONCE carries a command on keys, and no other: nothing was done
ONCE 33 9 ONCE 33 9 INCR i -> -ERR ONCE carries a command on keys, and no other: nothing was done
ONCE 33 9 SESSION NEW -> -ERR ONCE carries a command on keys, and no other: nothing was done
ONCE 33 9 GET -> -ERR wrong number of arguments for 'get' command
ONCE 0 1 INCR i -> -ERR value is not an integer or out of range
HELLO 4 -> -NOPROTO unsupported protocol version
HELLO 2 SETNAME -> -ERR Syntax error in HELLO option 'SETNAME'
"""


def test_a_dialogue():
    pairs = [line.split(" -> ") for line in REDIS.strip().splitlines()]
    said = answers("\n".join(command for command, _ in pairs))
    assert len(said) == len(pairs)
    for (command, expected), answer in zip(pairs, said, strict=True):
        assert (command, answer.rstrip(" |")) == (command, expected.rstrip(" |"))


def test_nothing_of_a_transaction_happens():
    first = "-ERR MULTI is not supported: MSET and MGET take several keys at once, CAS and SET IFEQ compare first"
    refused = "-ERR MULTI is not supported: the command was not carried out"
    last = "-EXECABORT Transaction discarded because of previous errors: MULTI is not supported"
    said = answers("MULTI\nSET a 1\nPING\nEXEC\nEXISTS a\nMULTI\nDISCARD\nEXISTS a\nMULTI\nRESET\nSET a 1")
    assert said == ["|".join([first, *[refused] * 5, last]), ":0", f"{first}|{refused}|+OK", ":0", f"{first}|{refused}|+RESET", "+OK"]


def test_the_third_protocol():
    said = answers("HELLO 3 SETNAME me\nGET a\nSETNX a 1\nEXISTS a\nMGET a b\nCONFIG GET save\nCLIENT GETNAME\nHELLO 2\nGET b\nHELLO 7\nGET b")
    assert said[0].startswith("%7|$6|server|$5|redis|$7|version|$5|7.0.0|$5|proto|:3|")
    assert said[1:7] == ["_", ":1", ":1", "*2|$1|1|_", "%1|$4|save|$0|", "$2|me"]
    assert said[7].startswith("*14|") and said[8:] == ["$-1", "-NOPROTO unsupported protocol version", "$-1"]


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Outcome(None, "no leader is known"), "-TRYAGAIN no leader is known: the command was not carried out"),
        (Outcome(None, "this node does not lead", "n2"), "-MOVED 5474 127.0.0.1:7102"),
        (Outcome(None, "it ended", "n1"), "-TRYAGAIN it ended: the command was not carried out"),
        (Outcome(None, "it ended", "gone"), "-TRYAGAIN it ended: the command was not carried out"),
        (Outcome(None, "the leader changed", "n2", True), "-UNKNOWN the leader changed: the command may or may not have been carried out"),
        (Outcome(Reply(None)), "+OK"),
        (Outcome(Reply(error="large")), "-ERR string exceeds maximum allowed size: the value, or the answer, would be too large"),
    ],
)
def test_an_answer_claims_what_is_known(outcome, answer):
    def prepare(place: Front) -> None:
        place.replica.manner = lambda command, done: done(outcome)

    assert answers("SET {user}.a 1\nMSET {user}.a 1", prepare=prepare) == [answer, answer]


def test_a_reply_of_another_command_does_no_harm():
    """A retry in a session is answered what its first attempt was, even if the client then asks something else."""
    for result in (None, True, 7, b"x", (b"x", None)):
        for resp3 in ("2", "3"):

            def prepare(place: Front, result=result) -> None:
                place.replica.manner = lambda command, done: done(Outcome(Reply(result)))

            said = answers(f"HELLO {resp3}\nINCR a\nSET a 1\nSET a 1 NX\nDEL a b\nGET a\nMGET a", prepare=prepare)
            assert len(said) == 7 and not any(answer.startswith("-") for answer in said)


def test_keys_that_are_too_long_are_refused():
    limits = Limits(key_bytes_max=3)
    refused = "-ERR a key of 4 bytes is too long: this node takes 3"
    said = answers("SET abc 1234\nSET abcd 1\nMSET a 1234 abcd 1\nDEL a abcd\nONCE 1 1 INCR abcd\nMGET a a", limits=limits)
    assert said == ["+OK", refused, refused, refused, refused, "*2|$-1|$-1"]


def test_slots_are_those_of_redis():
    assert [slot_of(key) for key in (b"", b"foo", b"{}foo", b"a{foo}b", b"{{foo}}")] == [0, 12182, slot_of(b"{}foo"), 12182, slot_of(b"{foo")]


def test_the_cluster_as_clients_see_it():
    said = answers("CLUSTER SLOTS\nCLUSTER SHARDS\nCLUSTER NODES\nCLUSTER INFO\nCLUSTER MYID")
    assert said[0].startswith("*1|*5|:0|:16383|*4|$9|127.0.0.1|:") and said[0].count(":7102") == said[0].count(":7103") == 1
    assert said[1].count("$6|master") == 1 and said[1].count("$7|replica") == 2
    lines = said[2].partition("|")[2].splitlines()
    assert len(lines) == 3 and "myself,master - 0 0 3 connected 0-16383" in lines[0] and f"slave {lines[0][:40]} 0 0" in lines[1]
    assert "cluster_state:ok" in said[3] and said[4] == f"$40|{lines[0][:40]}"

    def lose(place: Front) -> None:
        place.replica.now = replace(STATUS, role="follower", leader=None, followers={})

    said = answers("CLUSTER SLOTS\nCLUSTER INFO", prepare=lose)
    assert said[0] == "*0" and "cluster_state:fail" in said[1]


def test_operators_of_the_cluster():
    fronts: list[Front] = []
    said = answers(
        "RAFT REMOVE n2\nRAFT REMOVE n2\nRAFT ADD n2 LEARNER\nRAFT ADD n2\nRAFT ADD n9\nRAFT TRANSFER n3\nRAFT TRANSFER x\nRAFT SNAPSHOT\nRAFT ADD n2 HUH\nRAFT HUH",
        prepare=fronts.append,
    )
    assert said[:6] == ["+OK", "-ERR 'n2' is no member", "+OK", "+OK", "-ERR no node is called 'n9': there are n1, n2, n3", "+OK"]
    assert said[6:9] == ["-ERR no node is called 'x': there are n1, n2, n3", "+OK", "-ERR syntax error: RAFT ADD node [LEARNER]"]
    assert said[9] == "-ERR unknown subcommand 'huh'. Try one of: STATUS, MEMBERS, TRANSFER, SNAPSHOT, ADD, REMOVE"
    changes = [(wanted[1].members.voters, wanted[1].learners) for wanted in fronts[0].replica.asked if wanted[0] == "change"]
    assert changes == [(("n1", "n3"), ()), (("n1", "n3"), ("n2",)), (("n1", "n3", "n2"), ())]
    assert [asked for asked in fronts[0].replica.asked if asked[0] != "change"] == [("transfer", "n3"), ("compact",)]


def test_only_a_leader_is_operated():
    def follow(place: Front) -> None:
        place.replica.now = replace(STATUS, role="follower", leader="n2", followers={})

    said = answers("RAFT TRANSFER n3\nRAFT REMOVE n3\nRAFT STATUS\nRAFT MEMBERS\nINFO replication", prepare=follow)
    assert said[:2] == ["-MOVED 0 127.0.0.1:7102"] * 2
    assert "$4|role|$8|follower|$4|term|:3|$6|leader|$2|n2|$6|voters|*3|$2|n1|" in said[2]
    assert said[3].startswith("*3|*8|$4|node|$2|n1|$4|kind|$5|voter|$6|leader|:0|")
    assert "|role:slave|master_host:127.0.0.1|master_port:7102|master_link_status:up|" in said[4]


def test_clocks_are_turned_in_tests_only():
    fronts: list[Front] = []
    assert answers("DEBUG CLOCK 1.5 2") == ["-ERR DEBUG is off: set debug = true in the node's configuration, for tests only"]
    said = answers("DEBUG CLOCK 1.5 2\nDEBUG CLOCK x 1\nDEBUG CLOCK nan 1\nDEBUG CLOCK 1 0", prepare=fronts.append, debug=True)
    assert [answer[:4] for answer in said] == ["+OK", "-ERR", "-ERR", "-ERR"] and fronts[0].replica.asked == [("clock", 1.5, 2.0)]


def test_information():
    (everything, raft, nothing) = answers("INFO\nINFO raft keyspace\nINFO nope")
    for section in ("Server", "Clients", "Memory", "Stats", "Replication", "Raft", "Cluster"):
        assert f"# {section}|" in everything
    assert "|role:master|connected_slaves:2|slave0:ip=127.0.0.1,port=7102,state=online,offset=10,lag=0|" in everything
    assert "raft_leader:n1|" in raft and "|follower_n3:match=7,lag=3|" in raft and "# Server" not in raft and nothing == "$0|"


def test_how_a_read_is_asked_for():
    asked: list[Command] = []

    def prepare(place: Front) -> None:
        def note(command, done):
            asked.append(command)
            done(place.replica.carried_out(command))

        place.replica.manner = note

    answers("GET a\nMGET a b\nEXISTS a\nSTRLEN a\nDBSIZE\nSET a 1\nONCE 1 2 GET a", prepare=prepare)
    assert asked == [
        Command("get", b"a"), Command("mget", more=(b"a", b"b")), Command("exists", more=(b"a",)), Command("strlen", b"a"), Command("size"),
        Command("put", b"a", b"1"), Command("get", b"a", None, None, 1, 2),
    ]  # fmt: skip


def test_what_there_is_is_documented():
    text = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
    for entries in (commands_keys.ENTRIES, commands_server.ENTRIES, commands_cluster.ENTRIES):
        for entry in entries:
            assert entry.name.upper() in text or "is not supported" in answers(f"{entry.name} a b")[0], entry.name
    fields = [line.partition(":")[0] for line in answers("INFO raft")[0].split("|")[2:]]
    assert len(fields) > 10 and all(field in text for field in fields if not field.startswith("follower_"))
