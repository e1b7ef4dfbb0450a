"""A real server with clients that never finish: it serves others, uses no more memory, and closes those connections."""

import statistics

import pytest

from dream_api.core.settings import Settings
from tests.support.load import found, slow_clients
from tests.support.server import Server

_MIB = 1 << 20


@pytest.mark.slow
async def test_clients_that_never_finish_stop_nobody(database_settings: Settings) -> None:
    alice = await found(database_settings)
    upload = b"\x89PNG\r\n\x1a\n" + bytes(700_000)
    with Server(database_settings) as server:
        held = await slow_clients.hold(server.port, server.pid, alice.secret["test"], upload, at_least_seconds=14)

    # Other tests share the machine: one answer in twenty may wait for them.
    assert statistics.quantiles(held.seconds, n=20)[-1] < 0.5
    assert held.most_bytes - held.bytes_before < 64 * _MIB
    assert held.half_open_left == 0
    assert held.upload_status == 201
