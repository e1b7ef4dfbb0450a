"""The contract of sign-in providers: flow, claims, errors."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from dream_api.core import clock
from dream_api.core.errors import Forbidden
from dream_api.core.secrets import DecryptionFailed, InstanceKey

_FLOW_LASTS = 10 * clock.MINUTE
_SEALED_FOR = "oidc flow"


class ProviderSignInFailed(Forbidden):
    code = "provider_sign_in_failed"
    hint = "Start again at /account/sign-in. The operator can find details in the log."


@dataclass(frozen=True, slots=True)
class Claims:
    """The person, as the provider identifies them: the subject is permanent, an address may change."""

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in in progress, stored encrypted in a cookie of its browser."""

    state: str
    nonce: str
    verifier: str
    began_at: int
    # Where the person wanted to go.
    next: str

    def seal(self, key: InstanceKey) -> str:
        return key.seal(json.dumps(asdict(self)), _SEALED_FOR)

    @classmethod
    def unseal(cls, sealed: str, key: InstanceKey) -> "Flow":
        """Decrypt a flow; raises ProviderSignInFailed where it is not ours, or too old."""
        try:
            flow = cls(**json.loads(key.open(sealed, _SEALED_FOR)))
        except (DecryptionFailed, ValueError, TypeError):
            raise ProviderSignInFailed("The sign-in was started in another browser.") from None
        if clock.now() > flow.began_at + _FLOW_LASTS:
            raise ProviderSignInFailed("The sign-in took too long.")
        return flow


class Provider(Protocol):
    """A provider by which people may sign in."""

    name: str

    async def begin(self, next_path: str) -> tuple[Flow, str]:
        """A new flow, and the address at the provider to which the browser goes."""
        ...

    async def finish(self, flow: Flow, params: Mapping[str, str]) -> Claims:
        """The person's claims, from the query parameters of the callback; raises ProviderSignInFailed."""
        ...
