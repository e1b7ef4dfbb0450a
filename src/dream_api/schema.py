"""Every table of the product, for code that iterates over all of them: migrations, doctor, tests."""

from dream_api.accounts import tables as accounts
from dream_api.assets import tables as assets
from dream_api.audit import tables as audit
from dream_api.billing import tables as billing
from dream_api.catalog import tables as catalog
from dream_api.core.cache import tables as cache
from dream_api.core.db.columns import metadata
from dream_api.core.idempotency import tables as idempotency
from dream_api.core.jobs import tables as jobs
from dream_api.core.mail import tables as mail
from dream_api.customers import tables as customers
from dream_api.gateways import tables as gateways
from dream_api.gateways.sandbox import tables as sandbox
from dream_api.identity import tables as identity
from dream_api.keys import tables as keys
from dream_api.platforms import tables as platforms
from dream_api.store import tables as store
from dream_api.usage import tables as usage
from dream_api.webhooks import tables as webhooks

__all__ = [
    "accounts",
    "assets",
    "audit",
    "billing",
    "cache",
    "catalog",
    "customers",
    "gateways",
    "idempotency",
    "identity",
    "jobs",
    "keys",
    "mail",
    "metadata",
    "platforms",
    "sandbox",
    "store",
    "usage",
    "webhooks",
]
