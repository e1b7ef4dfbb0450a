"""Keys of a project and mode: `pk_…` for browsers, `sk_…` for servers."""

from dream_api.keys.issuing import IssuedKey, issue, issue_pair, revoke, rotate
from dream_api.keys.queries import of_project, touch
from dream_api.keys.verifying import CACHE_KIND, REFUSALS, Key, KeyRefused, load, refuse_unusable, well_formed

__all__ = [
    "CACHE_KIND",
    "REFUSALS",
    "IssuedKey",
    "Key",
    "KeyRefused",
    "issue",
    "issue_pair",
    "load",
    "of_project",
    "refuse_unusable",
    "revoke",
    "rotate",
    "touch",
    "well_formed",
]
