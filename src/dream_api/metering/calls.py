"""Usage calls, their results, and their entries in the queue."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from dream_api.catalog import Plan, Plans
from dream_api.core.errors import AppError
from dream_api.customers import Customer, CustomerKey
from dream_api.keys import Key
from dream_api.metering.open_limits import CurrentLimits, CurrentPlatformLimits, PlatformPlan
from dream_api.usage import Closings, EventKey, LimitStatus, Meter


@dataclass(slots=True)
class UsageCall:
    """What a caller wants counted; everything but the limits is checked already."""

    key: Key
    plans: Plans
    # What the platform is on; None where nothing binds it: in test mode, and the operator's own.
    level: PlatformPlan | None
    # The plan of the X-User-Plan header, which goes before the customer's own.
    plan: Plan | None
    user_id: str
    meter: Meter
    quantity: int = 1
    # The subject that a distinct meter counts; None: the user. Never set for a meter that sums.
    subject: str | None = None
    # When it happened; None: now.
    timestamp: int | None = None
    idempotency_key: str | None = None
    # Its place in a batch.
    item: int = 0

    @property
    def customer_key(self) -> CustomerKey:
        return (self.key.platform_no, self.key.project_id, self.key.mode, self.user_id)

    @property
    def customer_cache_key(self) -> str:
        """The cache key of the customer (as `platforms.ProjectScope.name_of`)."""
        return f"{self.key.plans_name}:{self.user_id}"

    @property
    def event_key(self) -> EventKey | None:
        if self.idempotency_key is None:
            return None
        return (self.key.platform_no, self.key.project_no, self.key.mode_no, 0, self.idempotency_key, self.item)

    @property
    def fingerprint(self) -> bytes:
        """What must be the same when the key comes again: user, meter, quantity, subject, timestamp."""
        if self.idempotency_key is None:
            return b""
        text = json.dumps([self.user_id, self.meter.name, self.quantity, self.subject, self.timestamp])
        return hashlib.sha256(text.encode()).digest()


@dataclass(slots=True)
class CallResult:
    """The result of a call: `shown` is the index of the limit that `usage` in the response shows."""

    is_allowed: bool
    opened: CurrentLimits
    standings: tuple[LimitStatus, ...]
    shown: int
    # Whether the limit that refused is the platform's, not the customer's.
    is_of_level: bool = False
    # By how many microseconds the call's project is ahead of the world.
    ahead: int = 0


ResultCallback = Callable[[CallResult | AppError], None]


@dataclass(slots=True)
class QueuedCall:
    """A call in the queue, and the callback that gets its result after the commit."""

    call: UsageCall
    on_result: ResultCallback
    customer: Customer | None
    is_new_customer: bool = False
    opened: CurrentLimits | None = None
    level: CurrentPlatformLimits | None = None
    # Periods that were found closed when it was its turn.
    closings: Closings | None = None

    def postpone(self, closings: Closings) -> None:
        """Have the call counted after these periods, which are closed."""
        self.closings = (self.closings or {}) | closings
