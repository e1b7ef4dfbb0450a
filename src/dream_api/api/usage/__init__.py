"""What programs meet: counting, one call at a time or many; reading, now and over time; reserving and settling."""

from dream_api.api.usage import batch, data, history, reservations, usage
from dream_api.api.usage.data import MeteredCallEndpoint

ROUTERS = (data.router, batch.router, usage.router, history.router, reservations.router)

__all__ = ["ROUTERS", "MeteredCallEndpoint"]
