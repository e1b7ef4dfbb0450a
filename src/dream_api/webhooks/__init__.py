"""What developers are told of: events of their projects, recorded in the transaction in which they happen."""

from dream_api.webhooks.event_types import SENTENCES, EventType
from dream_api.webhooks.outbox import Event, event_of, page_of, recent_for_customer, record_events

__all__ = ["SENTENCES", "Event", "EventType", "event_of", "page_of", "recent_for_customer", "record_events"]
