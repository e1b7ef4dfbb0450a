"""What is swept of events."""

from dream_api.core import clock
from dream_api.core.expiry import Kept
from dream_api.webhooks.tables import events

KEPT = (Kept(events.c.created_at, 90 * clock.DAY),)
