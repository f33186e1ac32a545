"""Commands about the connection and the node: what tools and client libraries ask before they do anything.

Law: nothing here touches the log; answers are about this node and this moment.
"""

from __future__ import annotations

import fnmatch
import time

from scrutator.impl.node.clients.commands import Answer, Caller, Entry, Handler, Refusal, integer, subcommands
from scrutator.impl.node.clients.info import SERVER_VERSION, client_line, information
from scrutator.impl.node.clients.resp import Text, Value

FAST, ADMIN = ("fast", "loading", "stale"), ("admin", "noscript", "loading", "stale")
NONE = (0, 0, 0)


def _ping(caller: Caller, words: list[bytes]) -> Answer:
    if len(words) > 2:
        raise Refusal("ERR wrong number of arguments for 'ping' command")
    return words[1] if len(words) == 2 else "PONG"


def _echo(caller: Caller, words: list[bytes]) -> Answer:
    return words[1]


def _hello(caller: Caller, words: list[bytes]) -> Answer:
    resp3, name = caller.resp3, caller.name
    if len(words) > 1:
        if words[1] not in (b"2", b"3"):
            raise Refusal("NOPROTO unsupported protocol version" if words[1].isdigit() else "ERR Protocol version is not an integer or out of range")
        resp3 = words[1] == b"3"
    options = iter(words[2:])
    for option in options:
        match option.upper():
            case b"SETNAME" if (given := next(options, None)) is not None:
                name = _name(given)
            case b"AUTH" if (next(options, None), next(options, None))[1] is not None:
                raise Refusal(_NO_PASSWORD)
            case _:
                raise Refusal(f"ERR Syntax error in HELLO option '{option[:64].decode(errors='replace')}'")
    caller.resp3, caller.name = resp3, name
    role = "master" if caller.server.replica.status().role == "leader" else "replica"
    return {
        "server": b"redis", "version": SERVER_VERSION.encode(), "proto": 3 if resp3 else 2, "id": caller.number,
        "mode": b"cluster" if caller.server.config.followers == "moved" else b"standalone", "role": role.encode(), "modules": [],
    }  # fmt: skip


_NO_PASSWORD = "ERR AUTH called without any password configured: this store has no passwords, connect without one"


def _auth(caller: Caller, words: list[bytes]) -> Answer:
    raise Refusal(_NO_PASSWORD)


def _select(caller: Caller, words: list[bytes]) -> Answer:
    if integer(words[1]) != 0:
        raise Refusal("ERR DB index is out of range: there is only 0")
    return "OK"


def _quit(caller: Caller, words: list[bytes]) -> Answer:
    caller.leaving = True
    return "OK"


def _reset(caller: Caller, words: list[bytes]) -> Answer:
    caller.resp3, caller.name, caller.discarding = False, "", False
    return "RESET"


def _time(caller: Caller, words: list[bytes]) -> Answer:
    microseconds = time.time_ns() // 1000
    return [b"%d" % (microseconds // 1_000_000), b"%d" % (microseconds % 1_000_000)]


def _info(caller: Caller, words: list[bytes]) -> Answer:
    return Text(information(caller.server, [word.decode(errors="replace").lower() for word in words[1:]]))


def _unsupported(what: str) -> Handler:
    def handler(caller: Caller, words: list[bytes]) -> Answer:
        raise Refusal(f"ERR {words[0][:32].decode(errors='replace').upper()} is not supported: {what}")

    return handler


def _multi(caller: Caller, words: list[bytes]) -> Answer:
    """Clients send a whole transaction without waiting: what follows must not happen by itself."""
    caller.discarding = True
    raise Refusal("ERR MULTI is not supported: MSET and MGET take several keys at once, CAS and SET IFEQ compare first")


def _exec(caller: Caller, words: list[bytes]) -> Answer:
    if not caller.discarding:
        raise Refusal("ERR EXEC without MULTI")
    caller.discarding = False
    raise Refusal("EXECABORT Transaction discarded because of previous errors: MULTI is not supported")


def _discard(caller: Caller, words: list[bytes]) -> Answer:
    if not caller.discarding:
        raise Refusal("ERR DISCARD without MULTI")
    caller.discarding = False
    return "OK"


# --- CLIENT -------------------------------------------------------------------------------------


def _name(word: bytes) -> str:
    name = word.decode(errors="replace")
    if len(name) > 256 or any(not "!" <= letter <= "~" for letter in name):
        raise Refusal("ERR Client names cannot contain spaces, newlines or special characters, nor more than 256.")
    return name


def _setname(caller: Caller, words: list[bytes]) -> Answer:
    caller.name = _name(words[2])
    return "OK"


def _getname(caller: Caller, words: list[bytes]) -> Answer:
    return caller.name.encode() or None


def _setinfo(caller: Caller, words: list[bytes]) -> Answer:
    value = _name(words[3])
    match words[2].upper():
        case b"LIB-NAME":
            caller.library = value
        case b"LIB-VER":
            caller.library_version = value
        case _:
            raise Refusal(f"ERR Unrecognized option '{words[2][:64].decode(errors='replace')}'")
    return "OK"


def _client_list(caller: Caller, words: list[bytes]) -> Answer:
    now_s = time.monotonic()
    return Text("".join(client_line(other, now_s) + "\n" for other in caller.server.callers()))


_CLIENT = subcommands("client", {
    "setname": (3, _setname), "getname": (2, _getname), "setinfo": (4, _setinfo), "list": (-2, _client_list),
    "id": (2, lambda caller, words: caller.number),
    "info": (2, lambda caller, words: Text(client_line(caller, time.monotonic()) + "\n")),
    "no-evict": (3, lambda caller, words: "OK"), "no-touch": (3, lambda caller, words: "OK"),
})  # fmt: skip


# --- COMMAND and CONFIG -------------------------------------------------------------------------


def _described(entry: Entry) -> Value:
    """An entry as COMMAND tells it: name, arity, flags, first key, last, step."""
    return [entry.name.encode(), entry.arity, list(entry.flags), *entry.keys, [], [], [], []]


def _command(caller: Caller, words: list[bytes]) -> Answer:
    return [_described(entry) for entry in caller.server.table.entries.values()] if len(words) == 1 else _COMMAND(caller, words)


def _command_info(caller: Caller, words: list[bytes]) -> Answer:
    entries = caller.server.table.entries
    if len(words) == 2:
        return [_described(entry) for entry in entries.values()]
    found = (entries.get(word.decode(errors="replace").lower()) for word in words[2:])
    return [None if entry is None else _described(entry) for entry in found]


def _command_docs(caller: Caller, words: list[bytes]) -> Answer:
    entries = caller.server.table.entries
    names = [word.decode(errors="replace").lower() for word in words[2:]] or list(entries)
    return {
        name: {"summary": entries[name].summary.encode(), "since": b"1.0.0", "group": b"generic", "arity": entries[name].arity}
        for name in names if name in entries
    }  # fmt: skip


def _command_getkeys(caller: Caller, words: list[bytes]) -> Answer:
    asked = words[2:]
    first, last, step = caller.server.table.find(asked).keys
    if not first:
        raise Refusal("ERR The command has no key arguments")
    return asked[first : (last + 1) or None : step]


_COMMAND = subcommands("command", {
    "count": (2, lambda caller, words: len(caller.server.table.entries)), "info": (-2, _command_info), "docs": (-2, _command_docs),
    "list": (2, lambda caller, words: [name.encode() for name in caller.server.table.entries]), "getkeys": (-3, _command_getkeys),
})  # fmt: skip


def _config_get(caller: Caller, words: list[bytes]) -> Answer:
    limits = caller.server.config.limits
    settings = {
        "save": "", "appendonly": "yes", "appendfsync": "always", "databases": "1", "maxclients": str(limits.connections_max),
        "maxmemory": "0", "proto-max-bulk-len": str(limits.value_bytes_max), "cluster-enabled": "yes" if caller.server.config.followers == "moved" else "no",
    }  # fmt: skip
    patterns = [word[:64].decode(errors="replace").lower() for word in words[2:]]
    return {name: value.encode() for name, value in settings.items() if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)}


def _config_set(caller: Caller, words: list[bytes]) -> Answer:
    raise Refusal("ERR CONFIG SET is not supported: change the node's file of configuration and start it again")


_CONFIG = subcommands("config", {"get": (-3, _config_get), "set": (-4, _config_set), "resetstat": (2, lambda caller, words: "OK")})

ENTRIES = (
    Entry("ping", -1, FAST, NONE, _ping, "Answers."),
    Entry("echo", 2, FAST, NONE, _echo, "Returns its argument."),
    Entry("hello", -1, FAST, NONE, _hello, "Chooses RESP2 or RESP3."),
    Entry("auth", -2, FAST, NONE, _auth, "Refused: there are no passwords."),
    Entry("select", 2, FAST, NONE, _select, "Accepts database 0."),
    Entry("quit", -1, FAST, NONE, _quit, "Ends the connection."),
    Entry("reset", 1, FAST, NONE, _reset, "Makes the connection as it was when new."),
    Entry("time", 1, FAST, NONE, _time, "Returns this node's time."),
    Entry("info", -1, ADMIN, NONE, _info, "Describes this node in lines, by section."),
    Entry("client", -2, ADMIN, NONE, _CLIENT, "About connections."),
    Entry("command", -1, FAST, NONE, _command, "About commands."),
    Entry("config", -2, ADMIN, NONE, _CONFIG, "Some settings of this node."),
    Entry("multi", 1, FAST, NONE, _multi, "Refused, with all that follows up to EXEC."),
    Entry("exec", 1, FAST, NONE, _exec, "Ends what MULTI began; nothing of it was carried out."),
    Entry("discard", 1, FAST, NONE, _discard, "Ends what MULTI began."),
    Entry("watch", -2, FAST, (1, -1, 1), _unsupported("CAS and SET IFEQ compare before they set"), "Refused."),
    Entry("expire", -3, FAST, (1, 1, 1), _unsupported("keys do not expire here, for servers' clocks may differ"), "Refused."),
)  # fmt: skip
