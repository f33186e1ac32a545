"""TLS between nodes: each shows a certificate that the authority has signed for the node's name.

Law: version 1.3 and a certificate on both sides, or no connection.  Contexts check who signed; whoever
uses them compares the `names` of the other side with the node it claims to be.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from scrutator.impl.node.config import Tls


class TlsError(Exception):
    """The files of TLS cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True)
class Contexts:
    """How a node answers, and how it dials."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def contexts(tls: Tls, node: str) -> Contexts:
    """Contexts of this node; raises `TlsError`, also where others would not accept its certificate."""
    for key in ("certificate", "key", "authority"):
        _check_readable(getattr(tls, key), key)
    both = Contexts(_context(tls, ssl.PROTOCOL_TLS_SERVER), _context(tls, ssl.PROTOCOL_TLS_CLIENT))
    both.server.num_tickets = 0  # nothing is sent the other way, and every connection proves itself anew
    _rehearse(both, tls, node)
    return both


def names(certificate: Mapping[str, object]) -> frozenset[str]:
    """Whom a certificate is for, given as `ssl.SSLObject.getpeercert` does: its common names and DNS names.

    >>> sorted(names({"subject": ((("commonName", "a"),),), "subjectAltName": (("DNS", "b"), ("IP Address", "::1"))}))
    ['a', 'b']
    """
    found = set()
    subject = certificate.get("subject", ())
    for parts in subject if isinstance(subject, tuple) else ():
        found |= {value for key, value in parts if key == "commonName"}
    others = certificate.get("subjectAltName", ())
    found |= {value for key, value in others if key == "DNS"} if isinstance(others, tuple) else set()
    return frozenset(found)


def peer_names(ssl_object: ssl.SSLObject) -> frozenset[str]:
    """Whom the other side's certificate is for; none before the handshake is over."""
    return names(ssl_object.getpeercert() or {})


def _check_readable(path: str, key: str) -> None:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        raise TlsError(f"tls.{key}: {path} cannot be read: {error.strerror or error}") from None


def _context(tls: Tls, protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # nodes have names, their addresses may be those of proxies
    context.verify_mode = ssl.CERT_REQUIRED

    def password() -> str:
        raise TlsError(f"tls.key: {tls.key} is encrypted, and nobody is there to type a password: store it decrypted, readable to the node alone")

    try:
        context.load_cert_chain(tls.certificate, tls.key, password)
    except ssl.SSLError as error:
        raise TlsError(f"tls.certificate: {tls.certificate} with tls.key: {tls.key}: {_reason(error)}: both in PEM, of one pair?") from None
    try:
        context.load_verify_locations(tls.authority)
    except ssl.SSLError as error:
        raise TlsError(f"tls.authority: {tls.authority}: {_reason(error)}: a certificate in PEM?") from None
    return context


def _rehearse(both: Contexts, tls: Tls, node: str) -> None:
    """Shake hands with itself in memory: what fails here would fail with every other node."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = both.client.wrap_bio(to_client, to_server)
    server = both.server.wrap_bio(to_server, to_client, server_side=True)
    unfinished = [client, server]
    try:
        while unfinished:
            for side in tuple(unfinished):
                try:
                    side.do_handshake()
                    unfinished.remove(side)
                except ssl.SSLWantReadError:
                    pass
    except ssl.SSLError as error:
        raise TlsError(f"tls.certificate: {tls.certificate} does not satisfy tls.authority: {tls.authority}: {_reason(error)}") from None
    found = peer_names(server)
    if node not in found:
        named = ", ".join(sorted(found)) or "nobody"
        raise TlsError(f"tls.certificate: {tls.certificate} is for {named}, not for node {node}: its common name or a DNS name must be the node's")


def _reason(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", "") or error.reason or str(error)
