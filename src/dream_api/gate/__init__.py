"""Who may come in, and what it costs.

    POST /api/data ─ Gate.server ─ Gate.terms_of ─── metered ─ Gate.submit ┐
                     whose key     tiers and level   the call  its turn    │  one transaction for all that wait:
                     (cached)      (cached)                                │  customers → lock → decide → write → commit
                                                                           └→ Outcome, answered by `answering`

The rules behind it live in `keys`, `customers`, `catalog` and `usage`; this is where they meet.
"""

from dream_api.gate.acting import Acting, Developer
from dream_api.gate.admitting import NO_SECRET_KEY, Admitting, Turnstile, client_of
from dream_api.gate.answering import LevelLimitReached, TierLimitReached, body_of, peeked_body, rate_headers, refusal_of
from dream_api.gate.calls import Metered, Outcome
from dream_api.gate.choosing import ACTING_REFUSALS, BROWSER_REFUSALS, DEVELOPER_REFUSALS
from dream_api.gate.closing import LevelStillPaid, LiveMoneyMoved, close_platform, delete_project, reopen_platform
from dream_api.gate.counting import MembersLimitReached, count_members
from dream_api.gate.gate import REFUSALS, SERVER_REFUSALS, Gate, SaasOnly, SecretKeyRequired, Terms, metered
from dream_api.gate.proving import checks
from dream_api.gate.reserving import reserve, settle
from dream_api.gate.standing import LevelOf, home_scope, level_of, standings_of

__all__ = [
    "ACTING_REFUSALS",
    "BROWSER_REFUSALS",
    "DEVELOPER_REFUSALS",
    "NO_SECRET_KEY",
    "REFUSALS",
    "SERVER_REFUSALS",
    "Acting",
    "Admitting",
    "Developer",
    "Gate",
    "LevelLimitReached",
    "LevelOf",
    "LevelStillPaid",
    "LiveMoneyMoved",
    "MembersLimitReached",
    "Metered",
    "Outcome",
    "SaasOnly",
    "SecretKeyRequired",
    "Terms",
    "TierLimitReached",
    "Turnstile",
    "body_of",
    "checks",
    "client_of",
    "close_platform",
    "count_members",
    "delete_project",
    "home_scope",
    "level_of",
    "metered",
    "peeked_body",
    "rate_headers",
    "refusal_of",
    "reopen_platform",
    "reserve",
    "settle",
    "standings_of",
]
