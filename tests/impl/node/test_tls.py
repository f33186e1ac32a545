"""TLS between nodes: those with the authority's certificate for their own name get through, nobody else."""

from __future__ import annotations

import asyncio
import io
import shutil
import socket
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from loops import Run, free_ports, running, until

from scrutator.impl.node.config import NodeConfig, Place, Tls
from scrutator.impl.node.links import Links
from scrutator.impl.node.links.tls import TlsError, contexts
from scrutator.impl.node.links.wire import VERSION, Forward, Hello, NodeMessage, encode, encode_hello
from scrutator.impl.node.log import Log

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")

run = running(20.0)
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Signs certificates with the openssl command; files are named after whom they are for."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder, self.certificate, self.key = folder, folder / f"{name}.pem", folder / f"{name}.key"
        self._openssl("req", "-x509", *CURVE, "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def sign(self, file: str, *, common: str = "", dns: str = "", days: int = 2) -> Tls:
        certificate, key, request = (self.folder / f"{file}.{end}" for end in ("pem", "key", "csr"))
        extra = ("-addext", f"subjectAltName=DNS:{dns}") if dns else ()
        self._openssl("req", *CURVE, "-subj", f"/CN={common}" if common else "/O=nodes", *extra, "-keyout", key, "-out", request)
        signed = ("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", days, "-out", certificate)
        extensions = self.folder / f"{file}.ext"
        extensions.write_text(f"subjectAltName=DNS:{dns}\n" if dns else "basicConstraints=CA:FALSE\n")
        self._openssl(*signed, "-extfile", extensions)
        return Tls(str(certificate), str(key), str(self.certificate))

    def _openssl(self, *arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="module")
def a(authority: Authority) -> Tls:
    return authority.sign("a", common="a")


@pytest.fixture(scope="module")
def b(authority: Authority) -> Tls:
    return authority.sign("b", dns="b")


class Pair:
    """Nodes a and b, with the files they were given."""

    def __init__(self, **tls: Tls | None) -> None:
        self.got: dict[str, list[NodeMessage]] = {"a": [], "b": []}
        self.logs = {"a": io.StringIO(), "b": io.StringIO()}
        self.ports = dict(zip("ab", free_ports(2), strict=True))
        places = {name: Place(f"127.0.0.1:{port}", "127.0.0.1:1") for name, port in self.ports.items()}
        self.links = {
            name: Links(NodeConfig(name, "c", "-", places, tls=files), self.got[name].append, Log(name, self.logs[name]))
            for name, files in tls.items()
        }

    async def __aenter__(self) -> Pair:
        for links in self.links.values():
            await links.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for links in self.links.values():
            await links.close()

    def log(self, name: str) -> str:
        return self.logs[name].getvalue()


def message(src: str, dst: str, size: int = 10) -> Forward:
    return Forward(src, dst, 1, bytes(size))


async def intrude(pair: Pair, context: ssl.SSLContext | None) -> None:
    """Say a's hello to b; it must be ended before a message is taken."""
    with suppress(ConnectionError, ssl.SSLError):
        reader, writer = await asyncio.open_connection("127.0.0.1", pair.ports["b"], ssl=context)
        try:
            writer.write(encode_hello(Hello(VERSION, "c", "a", "b")) + encode([message("a", "b")], 1000))
            assert await reader.read() == b"" or context is None  # an alert of TLS
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


def careless(tls: Tls | None) -> ssl.SSLContext:
    """A client that trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if tls is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


# --- who gets through -------------------------------------------------------------------


def test_the_right_ones_talk(run: Run, a: Tls, b: Tls) -> None:
    async def test() -> None:
        async with Pair(a=a, b=b) as pair:
            one, two = pair.links["a"], pair.links["b"]
            await until(lambda: one.connected()["b"].to and two.connected()["a"].to and one.connected()["b"].back)
            one.send("b", [message("a", "b", 300_000)] * 20)
            two.send("a", [message("b", "a")])
            await until(lambda: len(pair.got["b"]) == 20 and pair.got["a"])
            assert pair.got == {"a": [message("b", "a")], "b": [message("a", "b", 300_000)] * 20}

    run(test())


@pytest.mark.parametrize("who", ["nobody", "plain", "other authority", "other node", "old version"])
def test_others_do_not(run: Run, a: Tls, b: Tls, stranger: Authority, who: str) -> None:
    async def test() -> None:
        context: ssl.SSLContext | None = careless(None)
        if who == "plain":
            context = None
        elif who == "other authority":
            context = careless(stranger.sign("a", common="a"))
        elif who == "other node":
            context = careless(b)  # b's certificate, but a's hello
        elif who == "old version":
            context = careless(a)
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        async with Pair(b=b) as pair:
            await intrude(pair, context)
            await until(lambda: "connection refused" in pair.log("b"))
            assert not pair.links["b"].connected()["a"].back and pair.got["b"] == []
            if who == "other node":
                assert "it claims to be a, but its certificate is for 'b'" in pair.log("b")

    run(test())


def test_the_same_intruder_with_the_right_certificate_gets_through(run: Run, a: Tls, b: Tls) -> None:
    """So that the test above cannot pass because of something else."""

    async def test() -> None:
        async with Pair(b=b) as pair:
            task = asyncio.create_task(intrude(pair, careless(a)))
            await until(lambda: pair.got["b"] == [message("a", "b")])
            await pair.links["b"].close()
            await task

    run(test())


def test_a_node_does_not_talk_to_an_impostor(run: Run, a: Tls, authority: Authority, stranger: Authority) -> None:
    """Neither to another node of the authority in the place of b, nor to b of another authority, nor without TLS."""
    third = authority.sign("third", common="third")
    false = stranger.sign("b", common="b")

    async def impostor(files: Tls, why: str) -> None:
        async with Pair(a=a) as pair:
            heard = bytearray()

            async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                with suppress(ConnectionError, ssl.SSLError):
                    heard.extend(await reader.read())
                writer.close()

            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files.certificate, files.key)
            async with await asyncio.start_server(hear, "127.0.0.1", pair.ports["b"], ssl=context):
                await until(lambda: why in pair.log("a"))
                assert not pair.links["a"].connected()["b"].to and not heard

    async def test() -> None:
        await impostor(third, "the certificate there is for third: check nodes.b.raft")
        await impostor(false, "certificate verify failed")

    run(test())


def test_nodes_with_and_without_tls_stay_apart(run: Run, a: Tls) -> None:
    async def test() -> None:
        async with Pair(a=a, b=None) as pair:
            await until(lambda: "connection refused" in pair.log("a") and "connection refused" in pair.log("b"))
            assert not any(links.connected()[peer].back for links, peer in ((pair.links["a"], "b"), (pair.links["b"], "a")))

    run(test())


def test_handshakes_that_never_end_hold_nobody_up(run: Run, a: Tls, b: Tls) -> None:
    async def test() -> None:
        silent: list[socket.socket] = []
        pair = Pair(a=a, b=b)
        try:
            await pair.links["b"].start()
            for _ in range(300):
                sock = socket.socket()
                silent.append(sock)
                sock.setblocking(False)
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", pair.ports["b"]))
            await pair.links["a"].start()
            await until(lambda: pair.links["a"].connected()["b"].to)
            pair.links["a"].send("b", [message("a", "b")])
            await until(lambda: pair.got["b"])
            assert pair.log("b").count("crowded out") == 1
        finally:
            await pair.__aexit__()
            for sock in silent:
                sock.close()

    run(test())


# --- files ------------------------------------------------------------------------------


def test_files_that_are_not_there_are_named(a: Tls, tmp_path: Path) -> None:
    for key in ("certificate", "key", "authority"):
        files = {"certificate": a.certificate, "key": a.key, "authority": a.authority, key: str(tmp_path / "missing")}
        with pytest.raises(TlsError, match=rf"tls\.{key}: .*missing cannot be read: No such file"):
            contexts(Tls(**files), "a")


def test_files_that_hold_something_else_are_named(a: Tls, b: Tls, tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("junk")
    with pytest.raises(TlsError, match=r"tls\.certificate: .*junk with tls\.key"):
        contexts(Tls(str(junk), a.key, a.authority), "a")
    with pytest.raises(TlsError, match=r"tls\.certificate: .*a\.pem with tls\.key: .*junk"):
        contexts(Tls(a.certificate, str(junk), a.authority), "a")
    with pytest.raises(TlsError, match=r"tls\.authority: .*junk"):
        contexts(Tls(a.certificate, a.key, str(junk)), "a")
    with pytest.raises(TlsError, match=r"of one pair\?"):
        contexts(Tls(a.certificate, b.key, a.authority), "a")


def test_an_encrypted_key_is_told_rather_than_asked_for(a: Tls, tmp_path: Path) -> None:
    key = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", a.key, "-aes128", "-passout", "pass:1234", "-out", key], check=True, capture_output=True)
    with pytest.raises(TlsError, match=r"locked\.key is encrypted"):
        contexts(Tls(a.certificate, str(key), a.authority), "a")


def test_a_certificate_that_others_would_refuse_is_told_at_the_start(a: Tls, authority: Authority, stranger: Authority) -> None:
    with pytest.raises(TlsError, match=r"a\.pem is for a, not for node b"):
        contexts(a, "b")
    with pytest.raises(TlsError, match=r"does not satisfy tls\.authority: .*stranger\.pem"):
        contexts(Tls(a.certificate, a.key, str(stranger.certificate)), "a")
    with pytest.raises(TlsError, match="expired"):
        contexts(authority.sign("old", common="a", days=-1), "a")
