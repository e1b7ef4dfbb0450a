"""Statements that work across tenants, by the function that has them executed.

Each entry names the tables whose tenant the function's statements may leave unnamed. Their rows name the tenant of what
is joined to them by the tenant's column: whoever finds a key by its hash must still read the key's project inside the
platform that the directory of hashes says.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CrossTenant:
    tables: tuple[str, ...]
    reason: str


# Of functions whose statements are built for one table after the other, or read all of them.
EVERY_TABLE = ("*",)

_LOOK_UPS = {
    "keys.queries:by_hash": CrossTenant(("key_hashes",), "who calls: a key's hash says which platform it is of"),
    "accounts.token_queries:by_hash": CrossTenant(("personal_tokens",), "who calls: so does a personal token's"),
    "platforms.invitation_queries:by_hash": CrossTenant(
        ("invitations",), "a one-time link says whose invitation it is"
    ),
    "billing.queries.accounts:account_by_id": CrossTenant(
        ("gateway_accounts",), "a webhook and a job name a gateway account, which says whose it is"
    ),
    "gateways.sandbox.queries:account_by_id": CrossTenant(
        ("gateway_accounts",), "the sandbox is called as a foreign gateway is: with an account's id alone"
    ),
    "gateways.sandbox.queries:lock_account": CrossTenant(("gateway_accounts",), "the same, with the row locked"),
    "assets.queries:by_key": CrossTenant(("assets",), "a public file is served to anybody who has its key"),
    "platforms.queries:platform_no_of_project": CrossTenant(
        ("project_ids",), "a session and a public page name a project, which says whose it is"
    ),
}
# People may be on several platforms.
_OF_ONE_USER = {
    "platforms.member_queries:memberships_of": CrossTenant(("members",), "the platforms that a user may choose from"),
    "platforms.invitation_queries:are_for": CrossTenant(("invitations",), "whether anybody invited this address"),
    "platforms.invitation_queries:open_of_email": CrossTenant(
        ("invitations",), "who has verified an address chooses among its invitations"
    ),
    "platforms.invitation_queries:by_id_and_email": CrossTenant(
        ("invitations",), "who has verified the address names one of its invitations, which says whose it is"
    ),
    "accounts.token_queries:list_user_tokens": CrossTenant(("personal_tokens",), "a user's own tokens"),
}
_OPERATOR = {
    "customers.queries:live_customers_by_platform": CrossTenant(("customers",), "a column of the list of platforms"),
    "usage.time_series:calls_by_platform": CrossTenant(("usage_hours",), "another column of it"),
    "accounts.token_queries:find_token_on_any_platform": CrossTenant(
        ("personal_tokens",), "the operator revokes a token by its id"
    ),
    "platforms.queries:all_projects": CrossTenant(("projects",), "the operator's list of projects"),
    "core.integrity:violations": CrossTenant(EVERY_TABLE, "`doctor` proves the sums of all platforms at once"),
    "operations.sealed_values:_sealed_rows": CrossTenant(
        EVERY_TABLE, "`doctor` and a start prove that the instance key opens what is encrypted"
    ),
    "operations.sealed_values:clear": CrossTenant(EVERY_TABLE, "a lost instance key: clears what nobody can read"),
    "audit.queries:list_checkpoints": CrossTenant(("audit_streams",), "the same: signatures of the instance key"),
    "audit.queries:list_streams": CrossTenant(("audit_streams",), "`doctor` verifies the log of everybody"),
    "audit.queries:stray_fields": CrossTenant(
        ("audit_streams", "audit_entries", "audit_fields"), "`doctor` finds fields that belong to no entry"
    ),
}
# They find what is due anywhere, and handle each platform by itself; or read whole tables, a part at a time.
_JOBS = {
    "billing.queries.accounts:accounts_due": CrossTenant(
        ("checkouts", "sandbox_objects", "subscriptions"), "finds the accounts in which something is due"
    ),
    "platforms.queries:deleted_projects": CrossTenant(("projects",), "finds projects that are to be purged"),
    "usage.rollup_queries:get_late_platforms": CrossTenant(("usage_late",), "finds platforms to sum up again"),
    "usage.rollup_queries:get_pending_platforms": CrossTenant(
        ("usage_hours", "usage_rolled"), "finds platforms to sum up"
    ),
    "usage.compaction:_delete_counters": CrossTenant(
        ("usage_counters", "meters", "project_ids"), "compaction, in the order of keys; home's meters count platforms"
    ),
    "usage.compaction_queries:delete_counters": CrossTenant(
        ("usage_counters", "meters", "project_ids"), "compaction, from one key to another"
    ),
    "usage.compaction:_delete_subjects": CrossTenant(("usage_subjects",), "compaction, in the order of keys"),
    "usage.compaction_queries:delete_subjects": CrossTenant(("usage_subjects",), "compaction, from one key to another"),
    "usage.compaction:_months_to_merge": CrossTenant(("usage_hours",), "compaction, in the order of keys"),
    "audit.queries:erase_fields": CrossTenant(("audit_fields",), "personal data goes when its time is over"),
    "audit.queries:list_streams_with_entries_before": CrossTenant(
        ("audit_entries", "audit_streams"), "finds the streams to cut off"
    ),
    "webhooks.expiry_queries:projects_with_clock": CrossTenant(
        ("test_clocks",), "finds the projects whose events expire by their ids"
    ),
    "core.expiry:_delete_some": CrossTenant(EVERY_TABLE, "what is too old goes, of whichever table"),
}
_OTHERS = {
    "analytics.near_limit_queries:all_by_customer": CrossTenant(
        ("usage_counters",), "names it by a sum with nothing, which keeps SQLite's planner from beginning there"
    ),
    "analytics.near_limit_queries:of_users": CrossTenant(("usage_counters",), "the same"),
    "migrations:migrate": CrossTenant(EVERY_TABLE, "migrations change the rows of all"),
}

# Prepared statements, by their own names.
PREPARED = {
    "usage.reservation_queries:_OVERDUE": CrossTenant(("reservations",), "job: finds reservations that have expired"),
}
CROSS_TENANT: dict[str, CrossTenant] = {**_LOOK_UPS, **_OF_ONE_USER, **_OPERATOR, **_JOBS, **_OTHERS}
