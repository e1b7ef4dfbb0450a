"""Keys of a project and mode: `pk_…` for browsers, `sk_…` for servers."""

from dream_api.keys.disclosure import KeyNotRetrievable, reveal, reveal_if_decryptable
from dream_api.keys.integrity import checks
from dream_api.keys.issuance import (
    DEFAULT_GRACE,
    LONGEST_GRACE,
    IssuedKey,
    invalidate_keys,
    issue,
    issue_pair,
    revoke,
    rotate,
)
from dream_api.keys.key_format import Kind
from dream_api.keys.queries import of_project, touch
from dream_api.keys.rate_limit import set_rate_limit
from dream_api.keys.verification import (
    CACHE_KIND,
    KEY_ERRORS,
    Key,
    KeyMalformed,
    KeyRefused,
    load,
    parse_key,
    require_active_key,
)

__all__ = [
    "CACHE_KIND",
    "DEFAULT_GRACE",
    "KEY_ERRORS",
    "LONGEST_GRACE",
    "IssuedKey",
    "Key",
    "KeyMalformed",
    "KeyNotRetrievable",
    "KeyRefused",
    "Kind",
    "checks",
    "invalidate_keys",
    "issue",
    "issue_pair",
    "load",
    "of_project",
    "parse_key",
    "require_active_key",
    "reveal",
    "reveal_if_decryptable",
    "revoke",
    "rotate",
    "set_rate_limit",
    "touch",
]
