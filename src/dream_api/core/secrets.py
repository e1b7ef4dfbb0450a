"""The instance key, what it encrypts, and how tokens are hashed.

What must be read back (test secret keys, later OAuth tokens) is sealed with AES-256-GCM under the instance key.
A sealed text carries the key's version and is bound to the row it belongs to, so that it opens nowhere else.
"""

import base64
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dream_api.core.settings import Settings

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1"
_FILE_NAME = "instance.key"


class DecryptionFailed(Exception):
    """A sealed text was altered, belongs to another row, or was sealed with another instance key."""


class InstanceKeyMissing(Exception):
    """The instance exists, and its key is not where it is looked for."""


class InstanceKey:
    """Seals and opens secrets; `owner` is the id of the row that holds the sealed text."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ValueError(f"The instance key must have {_KEY_BYTES} bytes, this one has {len(key)}.")
        self._key = key
        self._cipher = AESGCM(key)

    @classmethod
    def from_hex(cls, text: str) -> "InstanceKey":
        """ValueError where the text is not 64 hexadecimal digits."""
        return cls(bytes.fromhex(text.strip()))

    @classmethod
    def from_file(cls, path: Path) -> "InstanceKey":
        """The key in the file; made at first use, whole or not at all, readable by its owner only."""
        if not path.exists():
            _make_file(path)
        return cls.from_hex(path.read_text())

    def derive(self, purpose: str) -> bytes:
        """A secret of 32 bytes for one purpose, always the same; it reveals nothing of the key or of other secrets."""
        return HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=purpose.encode()).derive(self._key)

    def seal(self, secret: str, owner: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, secret.encode(), owner.encode())
        return f"{_VERSION}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, owner: str) -> str:
        version, _, body = sealed.partition(".")
        if version != _VERSION:
            raise DecryptionFailed(f"Unknown key version {version!r}.")
        try:
            raw = base64.b64decode(body, altchars=b"-_", validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode()).decode()
        except (InvalidTag, ValueError) as problem:
            raise DecryptionFailed("The secret cannot be opened with this instance key.") from problem


def instance_key(settings: Settings) -> InstanceKey:
    """The setting, else the key in the data directory, both of which are made where they are missing."""
    if settings.instance_key is not None:
        return InstanceKey.from_hex(settings.instance_key.get_secret_value())
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return InstanceKey.from_file(settings.data / _FILE_NAME)


def existing_instance_key(settings: Settings) -> InstanceKey:
    """The same, where it was made before; InstanceKeyMissing otherwise."""
    path = settings.data / _FILE_NAME
    if settings.instance_key is None and not path.exists():
        raise InstanceKeyMissing(f"The instance key {path.absolute()} does not exist.")
    return instance_key(settings)


def _make_file(path: Path) -> None:
    """Written under another name and then linked, so that no process ever reads half a key; the first one stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def hash_token(token: str) -> bytes:
    """What is stored of a token: its SHA-256. Tokens carry at least 160 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode()).digest()
