"""Webhook events of projects, recorded in the transaction in which they happen."""

from dream_api.webhooks.event_types import SENTENCES, EventType
from dream_api.webhooks.outbox import Event, get_event, list_events, recent_for_customer, record_events

__all__ = ["SENTENCES", "Event", "EventType", "get_event", "list_events", "recent_for_customer", "record_events"]
