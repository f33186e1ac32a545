"""Ports that are handed out are free, and are handed out once."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from scrutator.impl.cluster.ports import HIGHEST, LOOPBACK, LOWEST, NoPort, Ports, is_free


def test_a_port_is_given_once_and_back() -> None:
    with Ports() as ours, Ports() as theirs:
        port = ours.take()
        assert LOWEST <= port < HIGHEST and is_free(LOOPBACK, port)
        with pytest.raises(NoPort, match=f"port {port} of {LOOPBACK} is in use"):
            theirs.claim(port)
        ours.close()
        theirs.claim(port)


def test_another_process_does_not_get_it() -> None:
    with Ports() as ours:
        port = ours.take()
        code = f"from scrutator.impl.cluster.ports import *\ntry:\n    Ports().claim({port})\nexcept NoPort:\n    print('refused')"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "refused\n"


def test_a_server_is_in_the_way_and_a_lingering_connection_is_not() -> None:
    with Ports() as ports:
        port = ports.take()
        ports.close()
        with socket.create_server((LOOPBACK, port)) as server:
            with pytest.raises(NoPort, match="ss -tlnp"):
                ports.claim(port)
            client = socket.create_connection((LOOPBACK, port))
            accepted, _ = server.accept()
            accepted.close()  # closes first, and so is what lingers
            client.close()
        ports.claim(port)
