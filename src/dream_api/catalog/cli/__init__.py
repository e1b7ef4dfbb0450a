"""`dream-api tier` and `dream-api levels`: what projects sell, and what platforms may use."""

from dream_api.catalog.cli.levels import levels
from dream_api.catalog.cli.tiers import tier

__all__ = ["levels", "tier"]
