"""Endpoints of metered usage: single and batch calls, current usage, history and reservations."""

from dream_api.api.usage import batch, data, history, reservations, usage
from dream_api.api.usage.data import MeteredCallEndpoint

ROUTERS = (data.router, batch.router, usage.router, history.router, reservations.router)

__all__ = ["ROUTERS", "MeteredCallEndpoint"]
