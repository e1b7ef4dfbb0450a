"""Idempotency keys: the first committed response is replayed for 24 hours."""

from dream_api.core.idempotency.store import (
    LONGEST_KEY,
    RETENTION,
    IdempotencyInProgress,
    IdempotencyMismatch,
    IdempotentRequest,
    require_same_request,
    run_once,
    run_once_external,
    validate_key,
)

__all__ = [
    "LONGEST_KEY",
    "RETENTION",
    "IdempotencyInProgress",
    "IdempotencyMismatch",
    "IdempotentRequest",
    "require_same_request",
    "run_once",
    "run_once_external",
    "validate_key",
]
