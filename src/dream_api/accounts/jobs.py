"""Background jobs of accounts: emails and audit entries that requests must not wait for."""

from dataclasses import dataclass
from functools import partial

from dream_api import audit, identity
from dream_api.accounts.deferred_mail import NOTIFY_JOB, RESET_JOB, VERIFY_JOB
from dream_api.accounts.profile import RESET_LINK, VERIFY_LINK
from dream_api.accounts.registration import WELCOME_JOB
from dream_api.accounts.tables import sessions
from dream_api.accounts.users import User, find_user, find_user_by_email
from dream_api.audit import Actor
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.expiry import ExpiryRule
from dream_api.core.jobs import Job, Registry
from dream_api.core.mail import EmailTemplates, enqueue_email
from dream_api.identity.tables import attempts, one_time_links

EXPIRY_RULES = (
    ExpiryRule(sessions.c.expires_at, 0),
    ExpiryRule(one_time_links.c.expires_at, 0),
    ExpiryRule(attempts.c.changed_at, clock.DAY),
)
_VERIFY_LASTS = 3 * clock.DAY
_RESET_LASTS = clock.HOUR
_templates = EmailTemplates("dream_api.accounts")


@dataclass(frozen=True, slots=True)
class AccountJobs:
    """The database and the base of links that the jobs need."""

    database: Database
    link_base: str


def register(registry: Registry, link_base: str) -> None:
    registry.handle(WELCOME_JOB, partial(_welcome, link_base))
    registry.handle(VERIFY_JOB, partial(_verify, link_base))
    registry.handle(RESET_JOB, partial(_reset, link_base))
    registry.handle(NOTIFY_JOB, partial(_notify, link_base))


async def _welcome(link_base: str, database: Database, job: Job) -> None:
    """Send a new user the link that verifies the address, an existing one that they have an account."""
    async with database.read() as tx:
        user = await find_user_by_email(tx, job.payload["email"])
    if user is None or not await _may_send(database, user.email):
        return
    if user.id != job.payload["user"]:
        message = _templates.write("known", to=user.email, user=user, link_base=link_base)
        async with database.write() as tx:
            await enqueue_email(tx, message)
        return
    await _send_link(AccountJobs(database, link_base), user, VERIFY_LINK, "verify", _VERIFY_LASTS, user.email)
    async with database.write() as tx:
        by = Actor("user", user.id, user.email, job.payload["address"])
        await audit.record(tx, audit.Stream(user.id), "user.signed_up", by=by)


async def _verify(link_base: str, database: Database, job: Job) -> None:
    """Send the link that verifies the account's address, or a new one that is to replace it."""
    async with database.read() as tx:
        user = await find_user(tx, job.payload["user"])
    email = job.payload["email"]
    if user is not None and await _may_send(database, email):
        name = "verify" if email == user.email else "new_email"
        await _send_link(AccountJobs(database, link_base), user, VERIFY_LINK, name, _VERIFY_LASTS, email)


async def _reset(link_base: str, database: Database, job: Job) -> None:
    async with database.read() as tx:
        user = await find_user_by_email(tx, job.payload["email"])
    if user is None or not await _may_send(database, user.email):
        return
    await _send_link(AccountJobs(database, link_base), user, RESET_LINK, "reset", _RESET_LASTS)
    async with database.write() as tx:
        by = Actor("user", user.id, user.email, job.payload["address"])
        await audit.record(tx, audit.Stream(user.id), "password.reset_asked", by=by)


async def _notify(link_base: str, database: Database, job: Job) -> None:
    """Send a security notice of what was changed."""
    message = _templates.write("changed", to=job.payload["email"], what=job.payload["what"], link_base=link_base)
    async with database.write() as tx:
        await enqueue_email(tx, message)


async def _send_link(jobs: AccountJobs, user: User, purpose: str, template: str, lasts: int, email: str = "") -> None:
    """Earlier links keep working: a stranger's request must not invalidate the user's own link."""
    token = identity.create_link_token()
    url = f"{jobs.link_base}/account/{purpose}/{token}"
    written = _templates.write(template, to=email or user.email, user=user, url=url, link_base=jobs.link_base)
    async with jobs.database.write() as tx:
        await identity.issue_link(tx, purpose, user.id, lasts=lasts, payload=email, token=token)
        await enqueue_email(tx, written)


async def _may_send(database: Database, email: str) -> bool:
    """At most ten emails in 15 minutes to an address, so that strangers cannot fill a mailbox."""
    async with database.write() as tx:
        return (await identity.register_attempt(tx, f"email to {email}")).is_allowed
