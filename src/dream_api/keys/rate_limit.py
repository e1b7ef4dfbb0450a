"""Rate limits of secret keys."""

from dream_api.core.cache import invalidate
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound, ValidationFailed
from dream_api.keys import queries
from dream_api.keys.verification import CACHE_KIND

HIGHEST_RATE = 1_000_000


async def set_rate_limit(tx: Tx, platform_no: int, key_id: str, per_second: int | None) -> None:
    """Limit the secret key to so many calls a second (None: no limit), in every process within a second."""
    if per_second is not None and not 1 <= per_second <= HIGHEST_RATE:
        raise ValidationFailed(
            f"The rate limit must be from 1 to {HIGHEST_RATE:,} requests per second.", param="perSecond"
        )
    key = await queries.by_id(tx, platform_no, key_id)
    if key is None:
        raise NotFound("API key not found.", param="key")
    if key.kind != "secret":
        raise ValidationFailed(
            "A publishable key cannot have a rate limit.",
            param="key",
            hint="DREAM_OPEN_RATE limits requests without a secret key, by their address.",
        )
    await queries.set_rate_limit(tx, platform_no, key_id, per_second)
    await invalidate(tx, CACHE_KIND, key.hash.hex())
