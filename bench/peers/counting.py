"""Whether a peer counts right, before anybody looks at how fast it is."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.peers.peer import LIMITS, PLAN, SMALL_PLAN, Peer

CONNECTIONS = 64
CALLS = 10
ALL = CONNECTIONS * CALLS


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said to calls from all connections at once."""

    admitted: int
    # The connection was closed, and nobody knows whether the call counts.
    broken: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls for one user: without a limit, and against the small plan's where there are limits."""

    free: Answers
    stored: int
    limited: Answers | None

    @property
    def is_exact(self) -> bool:
        return self.free.admitted <= self.stored <= self.free.admitted + self.free.broken

    @property
    def over_limit(self) -> int:
        return 0 if self.limited is None else max(0, self.limited.admitted - LIMITS[SMALL_PLAN])


def counted(peer: Peer) -> Counted | None:
    """None for a yardstick, which counts nothing."""
    if peer.stored is None:
        return None
    before = peer.stored()
    free = _answers(peer, "together", PLAN)
    stored = peer.stored() - before
    return Counted(free, stored, _answers(peer, "at_the_limit", SMALL_PLAN) if peer.has_limits else None)


def _answers(peer: Peer, user: str, plan: str) -> Answers:
    # Two kinds of call that share their counts must not share this user.
    user += urlsplit(peer.url).path.replace("/", "_")
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        lines = list(threads.map(lambda _: _line(peer, user, plan), range(CONNECTIONS)))
    return Answers(sum(line.admitted for line in lines), sum(line.broken for line in lines))


def _line(peer: Peer, user: str, plan: str) -> Answers:
    """One connection's calls, one after the other."""
    address = urlsplit(peer.url)
    assert address.hostname is not None
    headers = {"Authorization": f"Bearer {peer.key}", "X-User-Id": user, "X-User-Plan": plan}
    if peer.body:
        headers["Content-Type"] = "application/json"
    body = peer.body.replace("USER", user) or None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    admitted = broken = 0
    for _ in range(CALLS):
        try:
            connection.request("POST", address.path, body, headers)
            answer = connection.getresponse()
            told = answer.read()
        except (OSError, http.client.HTTPException):
            broken += 1
            connection.close()
            continue
        if answer.status not in (200, 429):
            raise RuntimeError(f"{peer.name} answered {answer.status}: {told[:200]!r}")
        admitted += answer.status == 200
    connection.close()
    return Answers(admitted, broken)
