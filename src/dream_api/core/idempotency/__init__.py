"""`Idempotency-Key`: the first committed answer is given again for 24 hours."""

from dream_api.core.idempotency.store import (
    LONGEST_KEY,
    REMEMBERED,
    IdempotencyInProgress,
    IdempotencyMismatch,
    Once,
    proper_key,
    refuse_another,
    remembered,
    remembered_outside,
)

__all__ = [
    "LONGEST_KEY",
    "REMEMBERED",
    "IdempotencyInProgress",
    "IdempotencyMismatch",
    "Once",
    "proper_key",
    "refuse_another",
    "remembered",
    "remembered_outside",
]
