"""Writes to directories and instance tables, by table: the functions, and what the write costs where it is a part of a
transaction of one platform.

On Citus directories are reference tables, of which each machine has a copy: a transaction that writes one commits on
all machines. Instance tables are on the coordinator: such a transaction commits on two machines.

Functions that only tests reach (`NOT_BUILT` in `tests/isolation/test_every_statement.py`) are not among them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DirectoryWrite:
    functions: tuple[str, ...]
    reason: str


_ALL_MACHINES = "commits on all machines"
_NO_PLATFORM = "in transactions that write no platform's rows, but for the security log of a person"

DIRECTORY_WRITES = {
    "platforms": DirectoryWrite(
        (
            "platforms.queries:insert_platform",
            "platforms.queries:update_platform",
            "platforms.queries:delete_platform",
        ),
        f"a platform is created, renamed or deleted, a few times in its life: {_ALL_MACHINES}",
    ),
    "project_ids": DirectoryWrite(
        ("platforms.queries:insert_project",), f"a project is created with its id: {_ALL_MACHINES}"
    ),
    "key_hashes": DirectoryWrite(
        ("keys.queries:insert_key",), f"a key is issued with its hash: {_ALL_MACHINES}, a few times a month"
    ),
    "personal_tokens": DirectoryWrite(
        (
            "accounts.token_queries:insert_token",
            "accounts.token_queries:set_orphaned",
            "accounts.token_queries:set_revoked",
            "accounts.token_queries:set_used",
        ),
        f"a token is issued or revoked with an entry in the security log: {_ALL_MACHINES}; its last use, once an hour, "
        "is a transaction of its own",
    ),
    "invitations": DirectoryWrite(
        (
            "platforms.invitation_queries:insert_invitation",
            "platforms.invitation_queries:update_invitation",
            "platforms.invitation_queries:delete_invitation",
        ),
        f"somebody is invited or joins, with an entry in the security log: {_ALL_MACHINES}",
    ),
    "gateway_accounts": DirectoryWrite(
        ("billing.queries.accounts:insert_account",), f"once for each project and mode: {_ALL_MACHINES}"
    ),
    "assets": DirectoryWrite(
        ("assets.queries:insert_asset", "assets.queries:delete_asset"),
        f"a file is uploaded or deleted, with an entry in the security log: {_ALL_MACHINES}",
    ),
    "users": DirectoryWrite(
        (
            "accounts.user_queries:insert_user",
            "accounts.user_queries:insert_user_unless_known",
            "accounts.user_queries:set_user",
            "accounts.user_queries:delete_user",
        ),
        _NO_PLATFORM,
    ),
    "sessions": DirectoryWrite(
        (
            "accounts.user_queries:insert_session",
            "accounts.user_queries:set_session_used",
            "accounts.user_queries:delete_session",
        ),
        f"{_NO_PLATFORM} and of the person's platforms",
    ),
    "linked_sign_ins": DirectoryWrite(
        ("accounts.user_queries:insert_link", "accounts.user_queries:delete_user"), _NO_PLATFORM
    ),
    "one_time_links": DirectoryWrite(
        ("identity.one_time_links:issue_link", "identity.one_time_links:delete_links"), _NO_PLATFORM
    ),
    "attempts": DirectoryWrite(
        ("identity.attempts:register_attempt", "identity.attempts:reset_attempts"), _NO_PLATFORM
    ),
    "recovery_codes": DirectoryWrite(
        (
            "identity.recovery_codes:create_codes",
            "identity.recovery_codes:delete_codes",
            "identity.recovery_codes:use_code",
        ),
        _NO_PLATFORM,
    ),
    "second_factors": DirectoryWrite(("identity.totp:disable_totp",), _NO_PLATFORM),
    "instance": DirectoryWrite(
        ("platforms.queries:set_instance_value",), "at the first start, and when the instance key is replaced"
    ),
    "jobs": DirectoryWrite(
        (
            "core.jobs.queries:insert_job",
            "core.jobs.queries:bring_back",
            "core.jobs.queries:claim",
            "core.jobs.queries:delete_held",
            "core.jobs.queries:extend",
            "core.jobs.queries:mark_dead",
            "core.jobs.queries:release",
            "core.jobs.queries:reschedule",
            "core.jobs.queries:revive",
        ),
        "a job is enqueued by the transaction that needs it: commits on two machines; all else is the workers' own",
    ),
    "schedules": DirectoryWrite(("core.jobs.schedules:enqueue_occurrence",), "the workers' own"),
    "changes": DirectoryWrite(
        ("core.cache.invalidation:invalidate",),
        "a cached fact is changed (a key, a tier, a customer's plan): commits on two machines; never by a metered call",
    ),
    "mails": DirectoryWrite(
        ("core.mail.queries:insert_mail", "core.mail.queries:set_outcome"),
        "an email is written by the transaction that needs it: commits on two machines",
    ),
}
