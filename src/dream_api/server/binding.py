"""What a server has to itself: its data directory, by a lock, the sockets it listens on, and its processes' figures."""

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from dream_api.core.console import Stopped
from dream_api.core.settings import Settings

_LOCK_NAME = "server.lock"
_FIGURES = "dream-api-metrics-"


class AlreadyRunning(Stopped):
    """Another server works on the same data directory."""

    def __init__(self, directory: Path, process: str) -> None:
        super().__init__(
            f"A server (process {process or 'unknown'}) already works on {directory.absolute()}.",
            code="already_running",
            hint="Stop it first, or choose another data directory with --data or DREAM_DATA.",
        )


class CannotListen(Stopped):
    """The address or the port is not to be had."""

    def __init__(self, settings: Settings, problem: OSError) -> None:
        reason = (problem.strerror or str(problem)).lower()
        super().__init__(
            f"Cannot listen on {settings.host}, port {settings.port}: {reason}.",
            code="cannot_listen",
            hint="Choose another with --host and --port, or DREAM_HOST and DREAM_PORT.",
        )


@contextmanager
def sole_server(directory: Path) -> Generator[None, None, None]:
    """Hold the data directory's lock; the system lets go of it when the process ends, however it ends."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / _LOCK_NAME).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(directory, file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def listening(settings: Settings) -> Generator[tuple[Settings, list[socket.socket]], None, None]:
    """The sockets of the host and port, and the settings with the port that was found where it was 0."""
    with ExitStack() as stack:
        try:
            sockets = _bound(stack, settings.host, settings.port)
        except OSError as problem:
            raise CannotListen(settings, problem) from problem
        yield settings.model_copy(update={"port": sockets[0].getsockname()[1]}), sockets


def _bound(stack: ExitStack, host: str, port: int) -> list[socket.socket]:
    """One socket for each address of the host, all on one port."""
    sockets: list[socket.socket] = []
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
        one = stack.enter_context(closing(socket.socket(family, socket.SOCK_STREAM)))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((address[0], sockets[0].getsockname()[1] if sockets else port, *address[2:]))
        sockets.append(one)
    return sockets


@contextmanager
def figures_directory() -> Generator[Path, None, None]:
    """Where the processes of one server keep their figures; removed afterwards, as is what killed servers left."""
    _remove_abandoned_figures()
    # Under its name only once it is locked, so that nobody takes it for an abandoned one. The lock also keeps those
    # away who tidy up temporary directories by age.
    draft = Path(tempfile.mkdtemp(prefix=f"new-{_FIGURES}"))
    with _locked(draft):
        directory = draft.rename(draft.with_name(draft.name.removeprefix("new-")))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _remove_abandoned_figures() -> None:
    for directory in Path(tempfile.gettempdir()).glob(f"{_FIGURES}*"):
        with suppress(OSError), _locked(directory):
            shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _locked(directory: Path) -> Generator[None, None, None]:
    """Raises OSError where another holds it, or where it is not ours to open."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
