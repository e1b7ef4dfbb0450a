"""Format of API keys: `pk_` or `sk_`, the mode, and what every token has (`core.tokens`)."""

from typing import Literal

from dream_api.core import tokens
from dream_api.platforms import MODES, Mode

Kind = Literal["publishable", "secret"]

_PREFIXES: dict[Kind, str] = {"publishable": "pk", "secret": "sk"}
_EVERY_PREFIX = [f"{kind}_{mode}_" for kind in _PREFIXES.values() for mode in MODES]


def generate(kind: Kind, mode: Mode) -> str:
    return tokens.create_token(f"{_PREFIXES[kind]}_{mode}_")


def is_well_formed(token: str) -> bool:
    """Whether the text can be one of our keys at all."""
    return any(tokens.has_valid_checksum(token, prefix) for prefix in _EVERY_PREFIX)
