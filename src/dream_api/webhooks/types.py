"""All types of events: what each one tells."""

from typing import Literal

EventType = Literal["usage.threshold_reached", "level.threshold_reached"]

SENTENCES: dict[EventType, str] = {
    "usage.threshold_reached": "A customer's count has come to 50, 80 or 100 % of a limit; once per window.",
    "level.threshold_reached": "The platform has come to 50, 80 or 100 % of a limit of its level; once per window.",
}
