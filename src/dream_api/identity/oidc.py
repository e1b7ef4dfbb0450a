"""Sign-in by another provider: any that speaks OpenID Connect, found by its issuer."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import httpx2
import jwt

from dream_api.core import clock
from dream_api.core.db import in_transaction
from dream_api.identity.provider import Claims, Flow, ProviderFailed

# Public keys only: with a shared secret, whoever verifies could also sign.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_TIMEOUT_SECONDS = 10
_LARGEST_ANSWER = 1_000_000
_KNOWN_FOR_SECONDS = 3600
# A key that is not known is looked for anew, but no more often.
_KEYS_ANEW_SECONDS = 30
_LEEWAY_SECONDS = 60

Facts = Mapping[str, Any]


class OpenIdProvider:
    """Asks one issuer; what it says of itself is remembered for an hour."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, name: str, *, redirect_url: str) -> None:
        self.name = name
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_url = redirect_url
        self._document: Facts = {}
        self._document_until = 0.0
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_at = float("-inf")

    async def begin(self, next_path: str) -> tuple[Flow, str]:
        flow = Flow(
            secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), clock.now(), next_path
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_url,
            "scope": "openid email profile",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = await self._endpoint("authorization_endpoint")
        return flow, f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def finish(self, flow: Flow, told: Mapping[str, str]) -> Claims:
        if not hmac.compare_digest(told.get("state", "").encode(), flow.state.encode()):
            raise ProviderFailed("The answer belongs to another sign-in.")
        if told.get("iss", self._issuer) != self._issuer:
            raise ProviderFailed("The answer comes from another provider.")
        if "error" in told or not told.get("code"):
            raise ProviderFailed(f"{self.name} did not sign you in.")
        answer = await self._exchange(told["code"], flow.verifier)
        claims = await self._proved(answer, flow.nonce)
        if "email" not in claims:
            claims = {**claims, **await self._more(answer, claims)}
        return Claims(
            self._issuer,
            str(claims["sub"]),
            str(claims.get("email", "")),
            # Some send it as text.
            str(claims.get("email_verified")).lower() == "true",
            str(claims.get("name", "")),
        )

    async def _exchange(self, code: str, verifier: str) -> Facts:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_url,
            "code_verifier": verifier,
        }
        endpoint = await self._endpoint("token_endpoint")
        methods = (await self._described()).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self._client_secret and "client_secret_basic" in methods:
            own = (self._client_id, self._client_secret)
            return await self._ask("POST", endpoint, data=form, auth=own)
        more = {"client_secret": self._client_secret} if self._client_secret else {}
        return await self._ask("POST", endpoint, data={**form, "client_id": self._client_id, **more})

    async def _proved(self, answer: Facts, nonce: str) -> Facts:
        """What the token says, once it is known to be the provider's, for us, and of this very sign-in."""
        token = str(answer.get("id_token", ""))
        try:
            head = jwt.get_unverified_header(token)
            key = await self._key(str(head.get("kid", "")))
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._client_id,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss", "nonce"]},
            )
        except jwt.PyJWTError as problem:
            raise ProviderFailed(f"What {self.name} sent cannot be believed.") from problem
        others = isinstance(claims["aud"], list) and len(cast(list[str], claims["aud"])) > 1
        is_for_us = claims.get("azp", None if others else self._client_id) == self._client_id
        if not is_for_us or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise ProviderFailed(f"What {self.name} sent belongs to another sign-in.")
        return claims

    async def _more(self, answer: Facts, claims: Facts) -> Facts:
        """What the provider tells of the person only when it is asked."""
        if "userinfo_endpoint" not in await self._described():
            return {}
        bearer = {"Authorization": f"Bearer {answer.get('access_token', '')}"}
        told = await self._ask("GET", await self._endpoint("userinfo_endpoint"), headers=bearer)
        if told.get("sub") != claims["sub"]:
            raise ProviderFailed(f"What {self.name} sent is of another person.")
        return {name: told[name] for name in ("email", "email_verified", "name") if name in told}

    async def _key(self, key_id: str) -> jwt.PyJWK:
        since = time.monotonic() - self._keys_at
        if since > _KNOWN_FOR_SECONDS or (key_id not in self._keys and since > _KEYS_ANEW_SECONDS):
            told = await self._ask("GET", await self._endpoint("jwks_uri"))
            listed = cast(list[dict[str, Any]], told.get("keys", []))
            self._keys = {str(one.get("kid", "")): jwt.PyJWK(one) for one in listed if _signs(one)}
            self._keys_at = time.monotonic()
        if key_id not in self._keys:
            raise jwt.InvalidKeyError("The provider has no such key.")
        return self._keys[key_id]

    async def _endpoint(self, name: str) -> str:
        address = str((await self._described()).get(name, ""))
        if not _is_safe(address):
            raise ProviderFailed(f"{self.name} does not say where to sign in.")
        return address

    async def _described(self) -> Facts:
        if time.monotonic() > self._document_until:
            told = await self._ask("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != self._issuer:
                raise ProviderFailed(f"{self.name} calls itself otherwise than DREAM_OIDC_ISSUER does.")
            self._document, self._document_until = told, time.monotonic() + _KNOWN_FOR_SECONDS
        return self._document

    async def _ask(self, method: str, address: str, **more: Any) -> Facts:
        """The JSON object that is answered, within bounds and without being sent elsewhere."""
        assert not in_transaction.get(), "Others wait for the transaction while a provider answers."
        try:
            async with (
                httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client,
                client.stream(method, address, **more) as answer,
            ):
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _LARGEST_ANSWER:
                        raise ProviderFailed(f"{self.name} answers too much.")
                told = json.loads(body) if answer.is_success else None
        except (httpx2.HTTPError, ValueError) as problem:
            raise ProviderFailed(f"{self.name} does not answer.") from problem
        if not isinstance(told, dict):
            raise ProviderFailed(f"{self.name} refused to say who you are.")
        return cast(Facts, told)


def _signs(key: Mapping[str, Any]) -> bool:
    """Many list keys for other uses beside those that they sign with."""
    return key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig" and key.get("alg", "RS256") in _ALGORITHMS


def _is_safe(address: str) -> bool:
    """Encrypted on its way, or never leaving this machine."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return True
    host = parts.hostname or ""
    try:
        return parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False
