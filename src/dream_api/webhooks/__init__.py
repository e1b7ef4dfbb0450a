"""What developers are told of: events of their projects, recorded in the transaction in which they happen."""

from dream_api.webhooks.recording import Event, event_of, newest_about, page_of, record
from dream_api.webhooks.types import SENTENCES, EventType

__all__ = ["SENTENCES", "Event", "EventType", "event_of", "newest_about", "page_of", "record"]
