"""One of several server processes, as `server/supervisor.py` starts it: `python -m dream_api.server.child`."""

import argparse
import asyncio
import os
import signal
import socket
from contextlib import suppress
from functools import partial

import structlog

from dream_api.core import logs
from dream_api.core.console import load_settings
from dream_api.server.lifecycle import serve_on

_log = structlog.get_logger()


def main() -> None:
    """Serve on inherited sockets until a signal to stop, or until the parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m dream_api.server.child")
    parser.add_argument("--sockets", type=int, nargs="+", required=True)
    parser.add_argument("--parent-pipe", type=int, required=True, help="ends when the parent ends")
    parser.add_argument("--status-pipe", type=int, required=True, help="takes one byte when this process listens")
    given = parser.parse_args()
    settings = load_settings()
    logs.configure(settings.log_format, settings.log_level)
    sockets = [socket.socket(fileno=descriptor) for descriptor in given.sockets]
    serve_on(sockets, settings, partial(_begin, given.parent_pipe, given.status_pipe))


def _begin(parent_pipe: int, status_pipe: int) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_reader(parent_pipe)
        _log.warning("parent is gone", pid=os.getpid())
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(parent_pipe, stop)
    with suppress(BrokenPipeError):  # the parent is gone: the other pipe reports it
        os.write(status_pipe, b"!")


if __name__ == "__main__":
    main()
