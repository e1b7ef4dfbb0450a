"""A server process whose parent is gone before it begins."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

from dream_api.core.settings import Settings
from dream_api.server import child
from tests.support.server import environment


def test_a_process_without_a_parent_ends_before_it_serves(database_settings: Settings) -> None:
    """SIGTERM ends it by the system's own rule, since nothing has been imported that would handle it."""
    parent_pipe, parents_end = os.pipe()
    ready, ready_pipe = os.pipe()
    os.close(parents_end)
    with closing(socket.create_server(("127.0.0.1", 0), backlog=1)) as listening:
        descriptors = (parent_pipe, ready_pipe, listening.fileno())
        ended = subprocess.run(
            [sys.executable, "-P", child.__file__, *map(str, descriptors)],
            pass_fds=descriptors,
            env=environment(database_settings),
            check=False,
        )
    for descriptor in (parent_pipe, ready_pipe):
        os.close(descriptor)

    assert ended.returncode == -signal.SIGTERM
    assert os.read(ready, 1) == b""
    os.close(ready)
