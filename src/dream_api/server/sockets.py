"""The sockets that a server listens on."""

import socket
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager

from dream_api.core.console import CommandError
from dream_api.core.settings import Settings


class CannotListen(CommandError):
    """The address or the port is not to be had."""

    def __init__(self, settings: Settings, problem: OSError) -> None:
        reason = (problem.strerror or str(problem)).lower()
        super().__init__(
            f"Cannot listen on {settings.host}, port {settings.port}: {reason}.",
            code="cannot_listen",
            hint="Choose another address with --host and --port, or with DREAM_HOST and DREAM_PORT.",
        )


@contextmanager
def bind_sockets(settings: Settings) -> Generator[tuple[Settings, list[socket.socket]], None, None]:
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
