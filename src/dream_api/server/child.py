"""One of several server processes, as `server/supervisor.py` starts it: a script whose arguments are file descriptors.

It is a script because a module's packages are imported before its first line, and importing them takes seconds. The
parent is watched from the first line on, so that no orphan keeps the port because its parent was killed meanwhile.
"""

import os
import signal
import socket
import sys
import threading
from contextlib import suppress


def main() -> None:
    """Serve on inherited sockets until SIGTERM, or until the parent is gone."""
    parent_pipe, ready_pipe, *sockets = map(int, sys.argv[1:])
    threading.Thread(target=_stop_without_parent, args=(parent_pipe,), daemon=True).start()
    _serve([socket.socket(fileno=descriptor) for descriptor in sockets], ready_pipe)


def _stop_without_parent(parent_pipe: int) -> None:
    """Only the parent can write to the pipe, and it never does: reading returns when the parent is gone.

    SIGTERM ends a process that still imports at once, and a server once it has answered what was begun.
    """
    os.read(parent_pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(sockets: list[socket.socket], ready_pipe: int) -> None:
    from dream_api.core import logs  # noqa: PLC0415 - after the parent is watched
    from dream_api.core.console import load_settings  # noqa: PLC0415
    from dream_api.server.lifecycle import serve_on  # noqa: PLC0415

    def report_ready() -> None:
        with suppress(BrokenPipeError):  # the parent is gone
            os.write(ready_pipe, b"!")

    settings = load_settings()
    logs.configure(settings.log_format, settings.log_level)
    serve_on(sockets, settings, report_ready)


if __name__ == "__main__":
    main()
