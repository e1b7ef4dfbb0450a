"""A small OpenID Connect provider on loopback, which rejects what a real one rejects."""

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

CLIENT_ID = "dream"
CLIENT_SECRET = "a secret: with a colon"
REDIRECT_URL = "http://127.0.0.1:8787/account/oidc/callback"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public_pem() -> bytes:
    return RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class OidcServer:
    """Signs in whoever `person` is; `claims` and `signing` say what is odd about its tokens."""

    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "42", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    )
    claims: dict[str, Any] = field(default_factory=dict)
    # Key, algorithm and key id.
    signing: tuple[Any, str, str] = (RSA_KEY, "RS256", "rsa")
    # Whether the person is told by userinfo alone.
    is_terse: bool = False
    document: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> "OidcServer":
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser brings back, once the person has agreed; ValueError where a provider shows an error."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query, strict_parsing=True).items()}
        if asked["client_id"] != CLIENT_ID or asked["redirect_uri"] != REDIRECT_URL:
            raise ValueError("unknown client")
        if asked["response_type"] != "code" or "openid" not in asked["scope"].split():
            raise ValueError("unsupported")
        if asked["code_challenge_method"] != "S256" or len(asked["code_challenge"]) != 43:
            raise ValueError("no proof key")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.document,
        }

    def keys(self) -> dict[str, Any]:
        listed = [
            {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rsa", "use": "sig", "alg": "RS256"},
            {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec", "use": "sig", "alg": "ES256"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
            # As Keycloak lists it.
            {**RSAAlgorithm.to_jwk(OTHER_KEY.public_key(), as_dict=True), "kid": "e", "use": "enc", "alg": "RSA-OAEP"},
        ]
        return {"keys": listed}

    def token(self, authorization: str, form: dict[str, str]) -> dict[str, Any] | None:
        """None: refused."""
        known = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        if authorization != f"Basic {known}" or asked is None or form.get("redirect_uri") != REDIRECT_URL:
            return None
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if form.get("grant_type") != "authorization_code" or proof != asked["code_challenge"]:
            return None
        now = int(time.time())
        told = {"sub": self.person["sub"]} if self.is_terse else self.person
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **told,
            **self.claims,
        }
        key, algorithm, key_id = self.signing
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id})
        return {"access_token": "access", "token_type": "Bearer", "id_token": signed}


def _handler(server: OidcServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            match self.path:
                case "/.well-known/openid-configuration":
                    self._answer(server.described())
                case "/keys":
                    self._answer(server.keys())
                case "/userinfo" if self.headers["Authorization"] == "Bearer access":
                    self._answer(server.person)
                case _:
                    self._answer(None)

        def do_POST(self) -> None:
            server.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(server.token(self.headers.get("Authorization", ""), form) if self.path == "/token" else None)

        def _answer(self, told: dict[str, Any] | None) -> None:
            body = json.dumps(told if told is not None else {"error": "invalid_request"}).encode()
            self.send_response(200 if told is not None else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def query(told: dict[str, str]) -> str:
    return urlencode(told)
