"""`dream-api tier` and `dream-api levels`: what projects sell, and what platforms may use."""

from dream_api.cli.catalog.levels import levels
from dream_api.cli.catalog.tiers import tier

__all__ = ["levels", "tier"]
