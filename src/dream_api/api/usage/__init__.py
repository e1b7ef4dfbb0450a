"""Endpoints of metered usage: single and batch calls, current usage, history and reservations."""

from dream_api.api.usage import batch, data, history, reservations, usage
from dream_api.api.usage.data import MeteredCallEndpoint

ROUTERS = (data.endpoints, batch.endpoints, usage.endpoints, history.endpoints, reservations.endpoints)

__all__ = ["ROUTERS", "MeteredCallEndpoint"]
