"""Certificates for the nodes of a local cluster, made with the program openssl: an authority, and one for each node.

Law: keys are readable to their owner alone; what exists is kept.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from scrutator.impl.cluster.target import TargetError
from scrutator.impl.node.config import Tls

DAYS = 3650
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")


def make(folder: Path, nodes: Iterable[str]) -> dict[str, Tls]:
    """Certificates in ``folder``, by node; raises `TargetError` where openssl is missing or fails."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    if not authority.exists():
        _openssl("req", "-x509", *_CURVE, "-days", str(DAYS), "-subj", "/CN=scrutator cluster", "-keyout", authority_key, "-out", authority)
    made = {}
    for node in nodes:
        certificate, key = folder / f"{node}.pem", folder / f"{node}.key"
        if not certificate.exists():
            _openssl(
                "req", "-x509", *_CURVE, "-days", str(DAYS), "-subj", f"/CN={node}", "-addext", f"subjectAltName=DNS:{node}",
                "-addext", "basicConstraints=critical,CA:FALSE", "-CA", authority, "-CAkey", authority_key, "-keyout", key, "-out", certificate,
            )  # fmt: skip
        made[node] = Tls(str(certificate), str(key), str(authority))
    return made


def _openssl(*words: str | Path) -> None:
    try:
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False, umask=0o077, env={**os.environ, "LC_ALL": "C"})
    except FileNotFoundError:
        raise TargetError("TLS needs certificates, and these are made by the program openssl, which is not installed: install it, or leave TLS out") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise TargetError(f"openssl {words[0]} failed: {last}: it must be OpenSSL 3.0 or later (openssl version)")
