"""Disclosure of keys: publishable and secret test keys may be shown again, live secret keys never."""

from typing import Any

from sqlalchemy import Row

from dream_api.core.errors import Conflict
from dream_api.core.secrets import DecryptionFailed, InstanceKey


class KeyNotRetrievable(Conflict):
    code = "key_not_retrievable"
    hint = "Create a new key with `dream-api keys rotate`, and store it in your server's configuration."


def reveal(key: Row[Any], instance_key: InstanceKey) -> str:
    """The whole key; KeyNotRetrievable for a live secret one, of which only a digest is kept."""
    if key.kind == "publishable":
        return key.shown
    if key.sealed is None:
        raise KeyNotRetrievable("Live secret keys are shown only once, when they are created.")
    return instance_key.open(key.sealed, key.id)


def reveal_if_decryptable(key: Row[Any], instance_key: InstanceKey) -> str | None:
    """As `reveal`; None where the key was sealed with another instance key, such as that of a restored backup."""
    try:
        return reveal(key, instance_key)
    except DecryptionFailed:
        return None
