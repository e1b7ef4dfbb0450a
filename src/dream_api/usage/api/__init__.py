"""What programs meet: counting, one call at a time or many; reading, now and over time; reserving and settling."""

from dream_api.usage.api import batch, counting, history, reading, reservations
from dream_api.usage.api.counting import Metering

ROUTERS = (counting.router, batch.router, reading.router, history.router, reservations.router)

__all__ = ["ROUTERS", "Metering"]
