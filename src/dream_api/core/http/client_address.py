"""The client's address: the socket's, or the one that a trusted proxy forwards."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

# An IPv6 customer is given a network at least this large, and could come from another address with every call.
_IPV6_PREFIX = 64


class TrustedProxies:
    """Reads `X-Forwarded-For` by uvicorn's own rule, for requests that do not pass uvicorn's middleware."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted: Any = ProxyHeadersMiddleware(_nowhere, list(trusted)).trusted_hosts

    def trust(self, peer: str) -> bool:
        return peer in self._trusted

    def client_of(self, peer: str | None, forwarded_for: bytes | None) -> str | None:
        """The client's address: the last in the list that is no proxy of ours."""
        if forwarded_for is None or peer not in self._trusted:
            return peer
        host, _ = self._trusted.get_trusted_client_address(forwarded_for.decode("latin-1"))
        return host or peer


async def _nowhere(*_: Any) -> None: ...


def rate_limit_key(client: str | None) -> str:
    """The name under which an address's calls are counted: IPv6 by its /64, all that is no address together."""
    try:
        address = ip_address((client or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or _network_of(address))


def _network_of(address: IPv6Address) -> IPv6Network:
    return IPv6Network((address, _IPV6_PREFIX), strict=False)
