"""MongoDB's replica sets: who elects a primary, and who must acknowledge a write.

The two differ: arbiters vote, but hold no data.  Law: the numbers are MongoDB's own.  A primary needs
votes of a majority of the voting members; w: majority needs as many acknowledgements, or those of all
voting members with data if they are fewer.
Source: ReplSetConfig::_calculateMajorities and MemberConfig::validate in mongo/db/repl.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scrutator.model.quorums.expression import (
    Expression,
    Kind,
    Node,
    QuorumError,
    all_of,
    any_of,
    choose,
    majority,
)
from scrutator.model.quorums.files.build import build, listed
from scrutator.model.quorums.files.errors import FileError, line_at
from scrutator.model.quorums.files.shell import read_shell
from scrutator.model.quorums.files.tables import shown
from scrutator.model.quorums.parse import unknown
from scrutator.model.quorums.system import QuorumSystem

MEMBERS_MAX, VOTING_MAX = 50, 7
_REGION_TAGS = ("region", "dc", "datacenter", "dataCenter")


def recognises(text: str, path: Path) -> bool:
    """Whether it has members with hosts, as the shell or JSON prints them."""
    members = re.search(r"""(?<![\w$])["']?members["']?\s*:\s*\[\s*\{""", text)
    return members is not None and re.compile(r"""(?<![\w$])["']?host["']?\s*:""").search(text, members.start()) is not None


def read_mongodb(
    path: Path, text: str, *, rules: tuple[str, ...] = (), write_concern: str | None = None
) -> QuorumSystem:
    """The roles election and commit of a replica set, from what rs.conf() prints.

    Args:
        path: The file, for messages.
        text: JSON, extended JSON, or the shell's own notation.
        rules: Instead of raft.
        write_concern: ``majority``, a number, or a name in settings.getLastErrorModes; without, what
            getLastErrorDefaults asks for beyond 1, and else majority.

    Raises:
        FileError: MongoDB would refuse the configuration, or it is no configuration.
        QuorumError: There is no such write concern.
    """
    config = _config(path, read_shell(path, text))
    set_ = _ReplicaSet(path, text, _members(path, text, config), config)
    notes: list[str] = []
    election = _election(set_, notes)
    commit = _commit(set_, write_concern, notes)
    name = config.get("_id")
    nodes = [each.node for each in set_.members]
    named = {node.name: node for node in (*election.nodes(), *commit.nodes())}
    nodes = [named.get(node.name, node) for node in nodes]
    _note_members(set_, notes)
    return build(path, name if isinstance(name, str) and name else path.stem, {"election": election, "commit": commit}, "raft", rules, nodes, notes)


# --- members ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Member:
    node: Node
    votes: bool
    priority: float
    arbiter: bool
    tags: tuple[tuple[str, str], ...]
    line: int


@dataclass(frozen=True, slots=True)
class _ReplicaSet:
    path: Path
    text: str
    members: list[_Member]
    config: dict[str, object]

    @property
    def voting(self) -> list[_Member]:
        return [each for each in self.members if each.votes]

    @property
    def writable(self) -> list[_Member]:
        return [each for each in self.voting if not each.arbiter]

    @property
    def line(self) -> int:
        return self.members[0].line


def _config(path: Path, value: object) -> dict[str, object]:
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        value = value["config"]  # as replSetGetConfig answers
    if not isinstance(value, dict) or not isinstance(value.get("members"), list):
        raise FileError(path, 1, "no list of members: save what rs.conf() prints")
    return value


def _members(path: Path, text: str, config: dict[str, object]) -> list[_Member]:
    given = config["members"]
    assert isinstance(given, list)
    if len(given) > MEMBERS_MAX:
        raise FileError(path, 1, f"{len(given):,} members: MongoDB allows {MEMBERS_MAX}")
    hosts = islice(re.finditer(r"""(?<![\w$])["']?host["']?\s*:""", text), len(given))
    lines = [line_at(text, match.start()) for match in hosts]
    members = [_member(path, lines[k] if k < len(lines) else 1, each) for k, each in enumerate(given)]
    seen: set[str] = set()
    for each in members:
        if each.node.name in seen:
            raise FileError(path, each.line, f"{each.node.name} is a member twice; take one of them out")
        seen.add(each.node.name)
    if not members:
        raise FileError(path, 1, "the list of members is empty")
    voting = [each for each in members if each.votes]
    if not voting:
        raise FileError(path, members[0].line, "no member has a vote: no primary could ever be elected; give votes: 1")
    if len(voting) > VOTING_MAX:
        line = voting[VOTING_MAX].line
        raise FileError(path, line, f"{len(voting)} members vote: MongoDB allows {VOTING_MAX}; give the others votes: 0 and priority: 0")
    if not any(each.priority > 0 for each in members):
        raise FileError(path, members[0].line, "no member has a priority above 0: none may become primary")
    return members


def _member(path: Path, line: int, given: object) -> _Member:
    if not isinstance(given, dict) or not isinstance(given.get("host"), str) or not given["host"]:
        raise FileError(path, line, 'a member without a host; write host: "name:27017"')
    host = given["host"]

    def wrong(message: str) -> FileError:
        return FileError(path, line, f"{host}: {message}")

    arbiter = given.get("arbiterOnly", False)
    if not isinstance(arbiter, bool):
        raise wrong(f"arbiterOnly is true or false, not {shown(arbiter)}")
    votes = given.get("votes", 1)
    if isinstance(votes, bool) or votes not in (0, 1):
        raise wrong(f"votes is {shown(votes)}: MongoDB knows 0 and 1, and no weights; write 1, or 0 for a member that does not vote")
    priority = given.get("priority", 0 if arbiter else 1)
    if isinstance(priority, bool) or not isinstance(priority, (int, float)) or not 0 <= priority <= 1000:
        raise wrong(f"priority is {shown(priority)}; it is a number from 0 to 1000")
    if arbiter and not votes:
        raise wrong("an arbiter without a vote does nothing: MongoDB refuses it; write votes: 1")
    if arbiter and priority not in (0, 1):
        raise wrong(f"an arbiter of priority {shown(priority)}: it never becomes primary; write priority: 0")
    if not votes and priority:
        raise wrong("priority above 0 without a vote: MongoDB refuses it; write priority: 0, or votes: 1")
    tags = given.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(tag, str) for tag in tags.values()):
        raise wrong('tags are texts: tags: { dc: "east" }')
    region = next((tags[key] for key in _REGION_TAGS if tags.get(key)), None)
    kind = Kind.WITNESS if arbiter else Kind.VOTER if votes else Kind.LEARNER
    node = Node(host, region=region, kind=kind)
    return _Member(node, bool(votes), 0 if arbiter else priority, arbiter, tuple(tags.items()), line)


# --- quorums ------------------------------------------------------------------------------


def _election(set_: _ReplicaSet, notes: list[str]) -> Expression:
    voting = set_.voting
    notes.append(f"an election takes {len(voting) // 2 + 1} of the {len(voting)} voting members")
    votes = majority(each.node for each in voting)
    return _with_primary(votes, len(voting) // 2 + 1, voting, "whoever is elected", notes)


def _commit(set_: _ReplicaSet, asked: str | None, notes: list[str]) -> Expression:
    settings = set_.config.get("settings")
    settings = settings if isinstance(settings, dict) else {}
    defaults = settings.get("getLastErrorDefaults")
    default = defaults.get("w", 1) if isinstance(defaults, dict) else 1
    if asked is None and default not in (1, "majority", None):
        notes.append(f"writes at w: {shown(default)}, as getLastErrorDefaults says")
        concern: object = default
    else:
        concern = int(asked) if asked is not None and re.fullmatch(r"\d{1,4}", asked) else asked or "majority"
    if isinstance(concern, float) and concern.is_integer():
        concern = int(concern)
    if isinstance(concern, int) and not isinstance(concern, bool):
        return _commit_number(set_, concern, notes)
    if concern == "majority":
        return _commit_majority(set_, asked, notes)
    return _commit_mode(set_, str(concern), settings.get("getLastErrorModes"), notes)


def _commit_majority(set_: _ReplicaSet, asked: str | None, notes: list[str]) -> Expression:
    voting, writable = set_.voting, set_.writable
    if not writable:
        raise FileError(set_.path, set_.line, "all voting members are arbiters: nobody would hold the data")
    needed = min(len(voting) // 2 + 1, len(writable))
    held = "voting members" if len(writable) == len(voting) else f"{len(writable)} voting members with data"
    of = "all" if needed == len(writable) else str(needed)
    notes.append(f"a write is committed at w: majority: acknowledged by {of} of the {held}")
    arbiters = len(voting) - len(writable)
    if asked is None and arbiters and len(writable) <= len(voting) // 2 + 1:
        notes.append(
            "with these arbiters, MongoDB 5.0 and later takes w: 1 for writes that state no concern: they are not what commit means here"
        )
    acknowledged = choose(needed, [each.node for each in writable])
    return _with_primary(acknowledged, needed, writable, "the primary, which acknowledges too,", notes)


def _commit_number(set_: _ReplicaSet, needed: int, notes: list[str]) -> Expression:
    holders = [each for each in set_.members if not each.arbiter]
    if needed < 1:
        raise FileError(set_.path, set_.line, "w: 0 waits for nobody: there are no quorums of writes; take 1 or more")
    if needed > len(holders):
        raise FileError(set_.path, set_.line, f"w: {needed}, but {len(holders)} members hold data: no write would ever finish")
    notes.append(f"a write is committed at w: {needed}: acknowledged by any {needed} members with data, the primary among them")
    return _with_primary(choose(needed, _holding(holders, notes)), needed, holders, "the primary", notes)


def _commit_mode(set_: _ReplicaSet, name: str, modes: object, notes: list[str]) -> Expression:
    known = modes if isinstance(modes, dict) else {}
    if name not in known:
        raise QuorumError(f"{set_.path}: {unknown('write concern', name, {'majority': 0, '1': 0, **known})}")
    wanted = known[name]
    if not isinstance(wanted, dict) or not wanted:
        raise FileError(set_.path, set_.line, f'write concern {name}: write how many values of which tag, such as {{ dc: 2 }}')
    holders = [each for each in set_.members if not each.arbiter]
    nodes = dict(zip([each.node.name for each in holders], _holding(holders, notes), strict=True))
    parts = []
    for tag, count in wanted.items():
        values: dict[str, list[Node]] = {}
        for each in holders:
            if tag in dict(each.tags):
                values.setdefault(dict(each.tags)[tag], []).append(nodes[each.node.name])
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= len(values):
            raise FileError(
                set_.path, set_.line, f"write concern {name} wants {shown(count)} values of the tag {tag}, and members have {len(values)}"
            )
        parts.append(choose(count, [any_of(group) for group in values.values()]))
    texts = listed(f"{count} values of the tag {tag}" for tag, count in wanted.items())
    notes.append(f"a write is committed at w: {name}: acknowledged by members with {texts}, the primary among them")
    return _with_primary(all_of(parts), 1, holders, "the primary", notes)


def _holding(holders: Sequence[_Member], notes: list[str]) -> list[Node]:
    """Nodes that may acknowledge at a number or by tags: also those without a vote."""
    silent = [each.node.name for each in holders if not each.votes]
    if not silent:
        return [each.node for each in holders]
    notes.append(f"{listed(silent)}: without a vote, but acknowledges writes at this concern")
    return [Node(each.node.name, region=each.node.region) for each in holders]


def _with_primary(quorum: Expression, needed: int, among: Sequence[_Member], who: str, notes: list[str]) -> Expression:
    """The quorum, with somebody in it who may be primary; as it is where ``needed`` members always have one."""
    able = [each.node for each in among if each.priority > 0]  # voters with data all, as was checked
    if needed > len(among) - len(able):
        return quorum
    notes.append(f"{who} has a priority above 0: one of {listed(node.name for node in able)}")
    return quorum * any_of(able)


def _note_members(set_: _ReplicaSet, notes: list[str]) -> None:
    arbiters = [each.node.name for each in set_.members if each.arbiter]
    if arbiters:
        notes.append(f"{listed(arbiters)}: an arbiter votes, but holds no data and acknowledges nothing")
    silent = [each.node.name for each in set_.members if not each.votes]
    if silent:
        notes.append(f"{listed(silent)}: without a vote")
    if any(each.node.region for each in set_.members):
        notes.append("regions are the tags region or dc")
