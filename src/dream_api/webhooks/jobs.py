"""Expiry of stored webhook events."""

from dream_api.core import clock
from dream_api.core.expiry import ExpiryRule
from dream_api.webhooks.tables import events

EXPIRY_RULES = (ExpiryRule(events.c.created_at, 90 * clock.DAY),)
