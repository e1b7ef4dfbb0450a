"""What developers are told of: events of their projects, recorded in the transaction in which they happen."""

from dream_api.webhooks.recording import Event, page_of, record

__all__ = ["Event", "page_of", "record"]
