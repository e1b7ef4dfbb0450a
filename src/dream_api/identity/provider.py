"""What a sign-in by another provider consists of, whoever the provider is."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from dream_api.core import clock
from dream_api.core.errors import Forbidden
from dream_api.core.secrets import DecryptionFailed, InstanceKey

_FLOW_LASTS = 10 * clock.MINUTE
_SEALED_FOR = "oidc flow"


class ProviderFailed(Forbidden):
    code = "provider_failed"
    hint = "Begin again at /account/sign-in; the operator finds more in the log."


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom the provider vouches for; the subject is theirs for ever, an address may change."""

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in that is under way in one browser, which keeps it sealed."""

    state: str
    nonce: str
    verifier: str
    began_at: int
    # Where the person wanted to go.
    next: str

    def sealed(self, key: InstanceKey) -> str:
        return key.seal(json.dumps(asdict(self)), _SEALED_FOR)

    @classmethod
    def opened(cls, sealed: str, key: InstanceKey) -> "Flow":
        """Raises ProviderFailed where it is none of ours, or too old."""
        try:
            flow = cls(**json.loads(key.open(sealed, _SEALED_FOR)))
        except (DecryptionFailed, ValueError, TypeError):
            raise ProviderFailed("The sign-in did not begin in this browser.") from None
        if clock.now() > flow.began_at + _FLOW_LASTS:
            raise ProviderFailed("The sign-in took too long.")
        return flow


class Provider(Protocol):
    """Who else may sign people in."""

    name: str

    async def begin(self, next_path: str) -> tuple[Flow, str]:
        """A new flow, and the address at the provider to which the browser goes."""
        ...

    async def finish(self, flow: Flow, told: Mapping[str, str]) -> Claims:
        """Whom the provider vouches for, by what it told the browser to bring; raises ProviderFailed."""
        ...
