"""One tenant key: all tables of a platform begin with its number, and directories do not point into them.

On PostgreSQL the type of the column is changed in its place, which writes each table once. SQLite cannot do that: each
table is created again from its own definition, and its rows are copied.
"""

import re
import sys
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

revision = "0010"
down_revision = "0009"

# Tables with a column platform_id, which becomes platform_no.
_TENANTS = (
    *("projects", "members", "test_clocks", "keys", "tiers", "tier_limits", "prices", "coupons", "customers"),
    *("gateway_events", "gateway_objects", "gateway_customers", "checkouts", "subscriptions", "invoices", "payments"),
    *("refunds", "disputes", "usage_bills", "sandbox_objects", "sandbox_events", "sandbox_requests"),
    *("stock", "stock_holds", "orders", "order_lines", "order_events", "events", "idempotency_keys"),
)
_DIRECTORIES = ("key_hashes", "gateway_accounts", "assets", "invitations", "personal_tokens")
_LOG = ("audit_books", "audit_entries", "audit_fields")
# Their rows may be of a platform that is gone: nothing was deleted with it that no foreign key points to.
_WITHOUT_REFERENCES = ("gateway_objects", "sandbox_requests")
_NEW_NAMES = {"audit_books": "audit_streams"}
# Foreign keys into tenant tables, which these tables lose.
_LOSE = ("key_hashes", "gateway_accounts", "assets")

_LARGE = 100_000


def upgrade() -> None:
    for table in _WITHOUT_REFERENCES:
        op.execute(f"DELETE FROM {table} WHERE platform_id NOT IN (SELECT id FROM platforms)")  # noqa: S608
    if op.get_bind().dialect.name == "sqlite":
        _on_sqlite()
    else:
        _on_postgresql()
    _sequences()
    op.create_table(
        "project_ids",
        sa.Column("id", KEY, nullable=False),
        sa.Column("platform_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_ids")),
        sa.ForeignKeyConstraint(["platform_no"], ["platforms.no"], name=op.f("fk_project_ids__platform_no")),
    )
    op.execute("INSERT INTO project_ids (id, platform_no) SELECT id, platform_no FROM projects")


def _report(table: str) -> None:
    """Say on a terminal which large table is being written: a million rows take half a minute."""
    rows = op.get_bind().execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
    if rows >= _LARGE:
        sys.stderr.write(f"Upgrading the table {table}: {rows:,} rows …\n")


def _new_names(definition: str) -> str:
    return definition.replace("REFERENCES platforms (id)", "REFERENCES platforms (no)").replace(
        "platform_id", "platform_no"
    )


def _sequences() -> None:
    """Numbers of series, of which each platform has its own."""
    connection = op.get_bind()
    platforms = {row.id: row.platform_no for row in connection.execute(sa.text("SELECT id, platform_no FROM projects"))}
    numbers = connection.execute(sa.text("SELECT series, last FROM numbers"))
    rows = [_sequence(row.series, row.last, platforms) for row in numbers if row.series != "projects"]
    last = connection.execute(sa.text("SELECT platform_no, max(no) AS last FROM projects GROUP BY platform_no"))
    rows += [(row.platform_no, "projects", row.last) for row in last]
    table = op.create_table(
        "sequences",
        sa.Column("platform_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("series", KEY, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform_no", "series", name=op.f("pk_sequences")),
    )
    names = ("platform_no", "series", "last")
    op.bulk_insert(table, [dict(zip(names, row, strict=True)) for row in rows])
    op.drop_table("numbers")


def _sequence(series: str, last: int, platforms: dict[str, int]) -> tuple[int, str, int]:
    """`customers:7` is the series `customers` of the platform 7; `orders:prj_…:live` is of the project's platform."""
    kind, _, rest = series.partition(":")
    if kind in ("customers", "meters") and rest.isdecimal():
        return int(rest), kind, last
    return platforms.get(rest.partition(":")[0], 0), series, last


# SQLite.


def _on_sqlite() -> None:
    op.execute("DROP INDEX ix_projects__id")
    for table in (*_TENANTS, *_DIRECTORIES, "jobs", *_LOG):
        _report(table)
        _recreate(table, _edits_of(table), *_copy_of(table))
    _recreate("platforms", _key_of_platforms, {}, "FROM {table} AS t")


def _recreate(table: str, edit: Callable[[str], str], values: dict[str, str], source: str) -> None:
    """Create the table and its indexes again from their edited definitions, with all rows.

    `values`: what fills a new column, where it is not the column of the same name.
    """
    connection = op.get_bind()
    definition, indexes = _definitions(table)
    copy = f"new_{table}"
    op.execute(sa.text(_escaped(re.sub(r'^CREATE TABLE "?\w+"?', f'CREATE TABLE "{copy}"', edit(definition)))))
    columns = [row.name for row in connection.execute(sa.text(f"PRAGMA table_info({copy})"))]
    quoted = ", ".join(f'"{name}"' for name in columns)
    filled = ", ".join(values.get(name, f't."{name}"') for name in columns)
    op.execute(f"INSERT INTO {copy} ({quoted}) SELECT {filled} {source.format(table=table)}")
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE {copy} RENAME TO {_NEW_NAMES.get(table, table)}")
    for index in indexes:
        op.execute(sa.text(_escaped(edit(index))))


def _definitions(table: str) -> tuple[str, list[str]]:
    rows = op.get_bind().execute(
        sa.text("SELECT type, sql FROM sqlite_schema WHERE tbl_name = :table AND sql IS NOT NULL ORDER BY name"),
        {"table": table},
    )
    found = [(row.type, row.sql) for row in rows]
    [definition] = [sql for kind, sql in found if kind == "table"]
    return definition, [sql for kind, sql in found if kind == "index"]


def _escaped(definition: str) -> str:
    """A colon begins a parameter otherwise."""
    return definition.replace(":", r"\:")


def _copy_of(table: str) -> tuple[dict[str, str], str]:
    """A row that refers to a platform that is not there gets the number 0, and is found when references are checked."""
    number = "p.no" if table == "jobs" else "COALESCE(p.no, 0)"
    if table in _LOG:
        values = {"user_id": "CASE WHEN p.no IS NULL THEN t.book ELSE '' END", "name": "t.book"}
        return {"platform_no": number, **values}, "FROM {table} AS t LEFT JOIN platforms AS p ON p.id = t.book"
    return {"platform_no": number}, "FROM {table} AS t LEFT JOIN platforms AS p ON p.id = t.platform_id"


def _edits_of(table: str) -> Callable[[str], str]:
    def edit(definition: str) -> str:
        if table in _LOG:
            return _with_stream(definition)
        if table in _LOSE and definition.startswith("CREATE TABLE"):
            definition = _without_references(table, definition)
        if table == "projects":
            definition = definition.replace(
                "uq_projects__no UNIQUE (no)", "uq_projects__platform_id_no UNIQUE (platform_id, no)"
            )
        return _new_names(definition.replace("platform_id VARCHAR", "platform_id BIGINT"))

    return edit


def _without_references(table: str, definition: str) -> str:
    """Without foreign keys; those of a row with a platform of its own refer to that."""
    lines = definition.removesuffix("\n)").split(", \n\t")
    kept = [line for line in lines if "FOREIGN KEY" not in line]
    if table != "key_hashes":
        kept.append(f"CONSTRAINT fk_{table}__platform_id FOREIGN KEY(platform_id) REFERENCES platforms (id)")
    return ", \n\t".join(kept) + "\n)"


def _with_stream(definition: str) -> str:
    """Of the security log: (platform_no, user_id) in place of the book."""
    begun = "platform_no BIGINT NOT NULL, \n\tuser_id VARCHAR NOT NULL, "
    if "CREATE TABLE audit_books" in definition:
        begun += "\n\tname VARCHAR NOT NULL, "
        check = "CONSTRAINT ck_audit_books__user_id CHECK ((platform_no = 0) = (user_id = name))"
        definition = re.sub(r"\n\)$", f", \n\t{check}\n)", definition)
    definition = definition.replace("book VARCHAR NOT NULL, ", begun, 1)
    definition = definition.replace("REFERENCES audit_books (book)", "REFERENCES audit_streams (book)")
    definition = definition.replace("__book FOREIGN KEY", "__platform_no_user_id FOREIGN KEY")
    return (
        re.sub(r"\(book\b", "(platform_no, user_id", definition)
        .replace("audit_books__", "audit_streams__")
        .replace("pk_audit_books", "pk_audit_streams")
    )


def _key_of_platforms(definition: str) -> str:
    return definition.replace("pk_platforms PRIMARY KEY (id)", "pk_platforms PRIMARY KEY (no)").replace(
        "uq_platforms__no UNIQUE (no)", "uq_platforms__id UNIQUE (id)"
    )


# PostgreSQL.

_FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS "table", conname AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2
"""
_CONSTRAINTS = """
SELECT conrelid::regclass::text AS "table", conname AS name FROM pg_constraint
WHERE contype IN ('p', 'u', 'c') AND connamespace = current_schema()::regnamespace ORDER BY 1, 2
"""


def _on_postgresql() -> None:
    connection = op.get_bind()
    foreign_keys = [
        (row.table, row.name, row.definition)
        for row in connection.execute(sa.text(_FOREIGN_KEYS))
        if "platform_id" in row.definition or "book" in row.definition
    ]
    for table, name, _ in foreign_keys:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute("DROP INDEX ix_projects__id")
    op.execute(
        "CREATE FUNCTION pg_temp.platform_number(text) RETURNS bigint LANGUAGE sql STABLE AS "
        "'SELECT no FROM platforms WHERE id = $1'"
    )
    for table in (*_TENANTS, *_DIRECTORIES, "jobs", *_LOG):
        _report(table)
        _change_log(table) if table in _LOG else _change_type(table)
    op.execute("ALTER TABLE projects DROP CONSTRAINT uq_projects__no")
    op.execute("ALTER TABLE projects ADD CONSTRAINT uq_projects__platform_no_no UNIQUE (platform_no, no)")
    op.execute("ALTER TABLE platforms DROP CONSTRAINT pk_platforms, DROP CONSTRAINT uq_platforms__no")
    op.execute("ALTER TABLE platforms ADD CONSTRAINT pk_platforms PRIMARY KEY (no)")
    op.execute("ALTER TABLE platforms ADD CONSTRAINT uq_platforms__id UNIQUE (id)")
    op.execute("ALTER TABLE audit_books RENAME TO audit_streams")
    _rename_constraints()
    for table, name, definition in foreign_keys:
        if table not in _LOSE:
            _add_foreign_key(table, name, definition)
    for table in ("gateway_accounts", "assets"):
        _add_foreign_key(table, f"fk_{table}__platform_no", "FOREIGN KEY (platform_no) REFERENCES platforms(no)")


def _change_type(table: str) -> None:
    number = "pg_temp.platform_number(platform_id)"
    if table == "idempotency_keys":  # of somebody who creates a platform
        number = f"COALESCE({number}, 0)"
    op.execute(f"ALTER TABLE {table} ALTER COLUMN platform_id TYPE bigint USING {number}")
    op.execute(f"ALTER TABLE {table} RENAME COLUMN platform_id TO platform_no")


def _change_log(table: str) -> None:
    """Of the security log: (platform_no, user_id) in place of the book."""
    key = {"audit_books": "", "audit_entries": ", number", "audit_fields": ", number, field"}[table]
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table}")
    op.execute(f"ALTER TABLE {table} ADD COLUMN platform_no bigint NOT NULL DEFAULT 0")
    op.execute(f"ALTER TABLE {table} ALTER COLUMN platform_no DROP DEFAULT")
    op.execute(f"ALTER TABLE {table} RENAME COLUMN book TO user_id")
    if table == "audit_books":
        op.execute('ALTER TABLE audit_books ADD COLUMN name character varying COLLATE "C"')
        op.execute("UPDATE audit_books SET name = user_id")
        op.execute("ALTER TABLE audit_books ALTER COLUMN name SET NOT NULL")
    op.execute(
        f"UPDATE {table} AS t SET platform_no = p.no, user_id = '' FROM platforms AS p WHERE p.id = t.user_id"  # noqa: S608
    )
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY (platform_no, user_id{key})")
    if table == "audit_books":
        check = "(platform_no = 0) = (user_id::text = name::text)"
        op.execute(f"ALTER TABLE audit_books ADD CONSTRAINT ck_audit_books__user_id CHECK ({check})")
    if table == "audit_entries":
        for name in ("actor", "action"):
            column = "actor_id" if name == "actor" else "action"
            op.execute(f"DROP INDEX ix_audit_entries__{name}")
            op.execute(
                f"CREATE INDEX ix_audit_entries__{name} ON audit_entries (platform_no, user_id, {column}, number)"
            )


def _rename_constraints() -> None:
    for row in op.get_bind().execute(sa.text(_CONSTRAINTS)).all():
        name = row.name.replace("platform_id", "platform_no").replace("audit_books", "audit_streams")
        if name != row.name:
            op.execute(f"ALTER TABLE {row.table} RENAME CONSTRAINT {row.name} TO {name}")


def _add_foreign_key(table: str, name: str, definition: str) -> None:
    """As it was, with the new names."""
    definition = definition.replace("REFERENCES platforms(id)", "REFERENCES platforms(no)")
    definition = definition.replace("platform_id", "platform_no").replace("audit_books", "audit_streams")
    definition = re.sub(r"\(book\b", "(platform_no, user_id", definition)
    name = re.sub(r"__book$", "__platform_no_user_id", name.replace("platform_id", "platform_no"))
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
