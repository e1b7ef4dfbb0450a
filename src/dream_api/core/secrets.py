"""The instance key, what it encrypts, and how tokens are hashed.

What must be read back (test secret keys, later OAuth tokens) is sealed with AES-256-GCM under the instance key.
A sealed text carries the key's version and is bound to the row it belongs to, so that it opens nowhere else.
The database holds the key's fingerprint (`operations/instance_key.py`), so that another key is noticed at start.
"""

import base64
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dream_api.core.errors import Conflict
from dream_api.core.settings import Settings

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1"
_FILE_NAME = "instance.key"


_FINGERPRINT_PURPOSE = "instance key fingerprint"
_FINGERPRINT_DIGITS = 16


class DecryptionFailed(Conflict):
    """A sealed text was altered, belongs to another row, or was sealed with another instance key."""

    code = "seal_broken"
    hint = "Create a new one, or ask the operator to restore the instance key that encrypted it."


_LOST = (
    "If it is lost, `dream-api init --new-key` lists the values that can no longer be decrypted, and replaces the key."
)


class InstanceKeyUnusable(Exception):
    """`str(error)` is the sentence; `code` and `hint` are for operators, who alone meet it."""

    code: ClassVar[str]
    hint: ClassVar[str]


class InstanceKeyMissing(InstanceKeyUnusable):
    """The instance exists, and its key is not where it is looked for."""

    code = "instance_key_missing"
    hint = f"Restore it, set DREAM_INSTANCE_KEY, or set its directory with --data. {_LOST}"


class InstanceKeyWrong(InstanceKeyUnusable):
    """The key is not that of this instance, or is not a key at all."""

    code = "instance_key_wrong"
    hint = f"Restore the key of this instance, as its file or in DREAM_INSTANCE_KEY. {_LOST}"


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
        """Raises InstanceKeyMissing, InstanceKeyWrong."""
        try:
            return cls.from_hex(path.read_text())
        except FileNotFoundError:
            raise InstanceKeyMissing(f"The instance key {path.absolute()} does not exist.") from None
        except ValueError as problem:
            raise InstanceKeyWrong(f"The file {path.absolute()} does not contain 64 hexadecimal digits.") from problem

    @property
    def fingerprint(self) -> str:
        """Identifies the key without revealing anything of it: `9f86d081884c7d65`."""
        return self.derive(_FINGERPRINT_PURPOSE).hex()[:_FINGERPRINT_DIGITS]

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
            raise DecryptionFailed("This was encrypted with another instance key and cannot be decrypted.") from problem


def load_instance_key(settings: Settings) -> InstanceKey:
    """The key of the setting, else of the file in the data directory; raises InstanceKeyMissing, InstanceKeyWrong."""
    if settings.instance_key is not None:
        return InstanceKey.from_hex(settings.instance_key.get_secret_value())
    return InstanceKey.from_file(settings.data / _FILE_NAME)


def create_instance_key(settings: Settings) -> InstanceKey:
    """The same; where there is none, a new file: whole or not at all, readable by its owner only.

    Only for a database in which nothing depends on a key yet.
    """
    if settings.instance_key is None and not (settings.data / _FILE_NAME).exists():
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_file(settings.data / _FILE_NAME)
    return load_instance_key(settings)


def instance_key_place(settings: Settings) -> str:
    """Where the key is looked for: `DREAM_INSTANCE_KEY`, or the path of its file."""
    return "DREAM_INSTANCE_KEY" if settings.instance_key is not None else str((settings.data / _FILE_NAME).absolute())


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
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """The file must survive a power failure before the database holds anything that only its key opens."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def hash_token(token: str) -> bytes:
    """What is stored of a token: its SHA-256. Tokens carry at least 160 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode()).digest()
