"""Sign-in by OpenID Connect: discovery, authorization code with PKCE, ID token verification."""

import base64
import hashlib
import hmac
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
from dream_api.core.json_input import parse_json
from dream_api.identity.provider import Claims, Flow, ProviderSignInFailed

# Public keys only: with a shared secret, the verifier could also sign.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_TIMEOUT_SECONDS = 10
_LARGEST_RESPONSE = 1_000_000
_CACHE_SECONDS = 3600
# An unknown key makes the keys be fetched again, but no more often.
_REFETCH_KEYS_SECONDS = 30
_LEEWAY_SECONDS = 60

Facts = Mapping[str, Any]


class OpenIdProvider:
    """The client of one issuer; its discovery document and keys are cached for an hour."""

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

    async def finish(self, flow: Flow, params: Mapping[str, str]) -> Claims:
        if not hmac.compare_digest(params.get("state", "").encode(), flow.state.encode()):
            raise ProviderSignInFailed("The response is for another sign-in.")
        if params.get("iss", self._issuer) != self._issuer:
            raise ProviderSignInFailed("The response is from another provider.")
        if "error" in params or not params.get("code"):
            raise ProviderSignInFailed(f"{self.name} did not sign you in.")
        answer = await self._exchange(params["code"], flow.verifier)
        claims = await self._verified_claims(answer, flow.nonce)
        if "email" not in claims:
            claims = {**claims, **await self._userinfo(answer, claims)}
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
        methods = (await self._discovery_document()).get(
            "token_endpoint_auth_methods_supported", ["client_secret_basic"]
        )
        if self._client_secret and "client_secret_basic" in methods:
            own = (self._client_id, self._client_secret)
            return await self._request("POST", endpoint, data=form, auth=own)
        more = {"client_secret": self._client_secret} if self._client_secret else {}
        return await self._request("POST", endpoint, data={**form, "client_id": self._client_id, **more})

    async def _verified_claims(self, answer: Facts, nonce: str) -> Facts:
        """The ID token's claims, verified: signed by the provider, issued to us, and for this sign-in."""
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
            raise ProviderSignInFailed(f"The response of {self.name} is not valid.") from problem
        others = isinstance(claims["aud"], list) and len(cast(list[str], claims["aud"])) > 1
        is_for_us = claims.get("azp", None if others else self._client_id) == self._client_id
        if not is_for_us or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise ProviderSignInFailed(f"The response of {self.name} is for another sign-in.")
        return claims

    async def _userinfo(self, answer: Facts, claims: Facts) -> Facts:
        """Claims of the userinfo endpoint, which the ID token lacks."""
        if "userinfo_endpoint" not in await self._discovery_document():
            return {}
        bearer = {"Authorization": f"Bearer {answer.get('access_token', '')}"}
        info = await self._request("GET", await self._endpoint("userinfo_endpoint"), headers=bearer)
        if info.get("sub") != claims["sub"]:
            raise ProviderSignInFailed(f"The response of {self.name} is for another user.")
        return {name: info[name] for name in ("email", "email_verified", "name") if name in info}

    async def _key(self, key_id: str) -> jwt.PyJWK:
        since = time.monotonic() - self._keys_at
        if since > _CACHE_SECONDS or (key_id not in self._keys and since > _REFETCH_KEYS_SECONDS):
            key_set = await self._request("GET", await self._endpoint("jwks_uri"))
            listed = cast(list[dict[str, Any]], key_set.get("keys", []))
            self._keys = {str(one.get("kid", "")): jwt.PyJWK(one) for one in listed if _signs(one)}
            self._keys_at = time.monotonic()
        if key_id not in self._keys:
            raise jwt.InvalidKeyError("The provider has no key with this ID.")
        return self._keys[key_id]

    async def _endpoint(self, name: str) -> str:
        address = str((await self._discovery_document()).get(name, ""))
        if not _is_safe(address):
            raise ProviderSignInFailed(f"{self.name} did not return a valid sign-in address.")
        return address

    async def _discovery_document(self) -> Facts:
        if time.monotonic() > self._document_until:
            document = await self._request("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if document.get("issuer") != self._issuer:
                raise ProviderSignInFailed(f"The issuer that {self.name} returns is not the one in DREAM_OIDC_ISSUER.")
            self._document, self._document_until = document, time.monotonic() + _CACHE_SECONDS
        return self._document

    async def _request(self, method: str, address: str, **more: Any) -> Facts:
        """The JSON object of the response: bounded, redirects not followed."""
        assert not in_transaction.get(), "Others wait for the transaction while a provider answers."
        try:
            async with (
                httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client,
                client.stream(method, address, **more) as answer,
            ):
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _LARGEST_RESPONSE:
                        raise ProviderSignInFailed(f"The response of {self.name} is too large.")
                data = parse_json(body) if answer.is_success else None
        except (httpx2.HTTPError, ValueError) as problem:
            raise ProviderSignInFailed(f"{self.name} does not respond.") from problem
        if not isinstance(data, dict):
            raise ProviderSignInFailed(f"{self.name} did not return your profile.")
        return cast(Facts, data)


def _signs(key: Mapping[str, Any]) -> bool:
    """Whether the key is for signatures; many providers list keys for other uses, too."""
    return key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig" and key.get("alg", "RS256") in _ALGORITHMS


def _is_safe(address: str) -> bool:
    """Whether the URL is https, or on this machine."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return True
    host = parts.hostname or ""
    try:
        return parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False
