"""Which tables of a statement lack their tenant: planted statements of every shape."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import delete, insert, select, tuple_, update

import dream_api.schema  # noqa: F401  (all tables)
from dream_api.billing.tables import payments
from dream_api.catalog.tables import prices, tiers
from dream_api.core.db import insert as upserting
from dream_api.core.db import is_real_row, values_table
from dream_api.core.db.columns import ByteOrderedText
from dream_api.core.jobs.tables import jobs
from dream_api.keys.tables import key_hashes, keys
from dream_api.platforms.tables import platforms
from dream_api.usage.tables import meters
from tests.support.cases import each_case
from tests.support.tenant_filters import unnamed_tables

ALICE = 7
t, p, m, k = tiers.c, prices.c, meters.c, keys.c
same_tier = (p.platform_no == t.platform_no) & (p.tier_id == t.id)
same_id = p.tier_id == t.id
hers, her_prices = t.platform_no == ALICE, p.platform_no == ALICE
other = tiers.alias("other")
o = other.c
rows = values_table("rows", platform_no=sa.BigInteger(), id=ByteOrderedText)

_her_tiers = select(t.platform_no, t.id).where(hers)
_all_tiers = select(t.platform_no, t.id)
named, unnamed = _her_tiers.cte("named"), _all_tiers.cte("unnamed")
_recent = select(t.platform_no, t.id).where(hers).limit(10).subquery("recent")
_branch = select(t.platform_no, t.id).where(hers).cte("tree", recursive=True)
_tree = _branch.union_all(select(o.platform_no, o.id).join(_branch, o.platform_no == _branch.c.platform_no))
_forest = _branch.union_all(select(o.platform_no, o.id).join(_branch, o.name == _branch.c.id))

NAMED: dict[str, Any] = {
    "equality with a value": select(tiers).where(hers, t.name == "pro"),
    "the value on the left": select(tiers).where(sa.literal(ALICE) == t.platform_no),
    "a parameter that comes later": select(tiers).where(t.platform_no == sa.bindparam("platform")),
    "AND inside AND": select(tiers).where(sa.and_(t.name == "pro", sa.and_(hers, t.mode == "live"))),
    "a join on the tenant": select(tiers).join(prices, same_tier).where(hers),
    "the filter on the joined table": select(tiers).join(prices, same_tier).where(her_prices),
    "the filter in ON": select(tiers).join(prices, same_tier & her_prices),
    "a list of tables": select(tiers, prices).where(same_tier, hers),
    "each by itself": select(tiers, prices).where(hers, her_prices, same_id),
    "a table and its alias": select(tiers).join(other, o.platform_no == t.platform_no).where(hers),
    "an outer join on the tenant": select(tiers).outerjoin(prices, same_tier).where(hers),
    "an outer join to named rows": select(tiers).outerjoin(prices, same_id & her_prices).where(hers),
    "numbers by way of the directory of platforms": (
        select(tiers, meters)
        .join(platforms, platforms.c.no == t.platform_no)
        .join(meters, m.platform_no == platforms.c.no)
        .where(platforms.c.no == 7)
    ),
    "a subquery in FROM": select(_recent),
    "a join to a subquery": select(prices).join(_recent, p.platform_no == _recent.c.platform_no),
    "a CTE": select(prices).join(named, p.platform_no == named.c.platform_no),
    "a recursive CTE": select(_tree),
    "UNION": sa.union(_her_tiers, select(p.platform_no, p.id).where(her_prices)),
    "a correlated EXISTS": select(tiers).where(hers, select(1).where(same_tier).exists()),
    "a correlated NOT EXISTS": select(tiers).where(hers, ~select(1).where(same_tier).exists()),
    "EXISTS as the only filter": delete(tiers).where(select(1).where(same_tier, her_prices).exists()),
    "IN of a query that names it": select(prices).where(tuple_(p.platform_no, p.tier_id).in_(_her_tiers)),
    "a scalar subquery": select(select(p.id).where(same_tier).limit(1).scalar_subquery()).where(hers),
    "a tenant from a scalar subquery": select(tiers).where(
        t.platform_no == select(p.platform_no).where(her_prices).limit(1).scalar_subquery()
    ),
    "UPDATE": update(tiers).where(hers).values(name="pro"),
    "UPDATE from another table": update(tiers).where(hers, same_tier).values(name=p.currency),
    "UPDATE to a scalar subquery": update(tiers)
    .where(hers)
    .values(name=select(p.currency).where(same_tier).scalar_subquery()),
    "DELETE": delete(tiers).where(hers, t.id == "tier_1"),
    "INSERT of values": insert(tiers).values(platform_no=ALICE, id="tier_1"),
    "INSERT of a query": insert(tiers).from_select(
        ["platform_no", "id"], select(p.platform_no, p.id).where(her_prices)
    ),
    "an upsert by a key of the tenant": upserting(tiers)
    .values(platform_no=ALICE)
    .on_conflict_do_update(index_elements=[t.platform_no, t.id], set_={"name": "pro"}),
    "rows that are parameters": select(tiers).join(rows, (rows.c.platform_no == t.platform_no) & (rows.c.id == t.id)),
    "INSERT of rows that are parameters": insert(tiers).from_select(
        ["platform_no", "id"], select(*rows.c).where(is_real_row(rows))
    ),
    "no tenant table": select(platforms).where(platforms.c.name == "Alice"),
    "a table of the instance": select(jobs).where(jobs.c.id == "job_1"),
    "no table": select(sa.func.now()),
}

UNNAMED: dict[str, tuple[Any, set[str]]] = {
    "no filter": (select(tiers), {"tiers"}),
    "another filter": (select(tiers).where(t.id == "tier_1"), {"tiers"}),
    "a column compared with itself": (select(tiers).where(t.platform_no == t.platform_no), {"tiers"}),
    "another comparison": (select(tiers).where(t.platform_no >= ALICE), {"tiers"}),
    "no value": (select(tiers).where(t.platform_no.is_(None)), {"tiers"}),
    "the wrong column": (select(tiers).where(t.project_id == ALICE), {"tiers"}),
    "a list": (select(tiers).where(t.platform_no.in_([ALICE])), {"tiers"}),
    "a list of pairs": (select(tiers).where(tuple_(t.platform_no, t.id).in_([(ALICE, "tier_1")])), {"tiers"}),
    "OR": (select(tiers).where(hers | (t.name == "pro")), {"tiers"}),
    "OR with a tautology": (select(tiers).where(sa.or_(hers, t.platform_no == t.platform_no)), {"tiers"}),
    "NOT": (select(tiers).where(sa.not_(hers)), {"tiers"}),
    "CASE": (select(tiers).where(sa.case((t.mode == "live", hers), else_=sa.true())), {"tiers"}),
    "the filter on one side of a join": (select(tiers).join(prices, same_id).where(hers), {"prices"}),
    "the filter in the wrong table": (select(tiers).join(prices, same_id).where(her_prices), {"tiers"}),
    "a join without a filter": (select(tiers).join(prices, same_tier), {"tiers", "prices"}),
    "a join of a tautology": (
        select(tiers).join(prices, same_id & (p.platform_no == p.platform_no)).where(hers),
        {"prices"},
    ),
    "the filter of a table on its alias": (select(tiers).join(other, o.id == t.id).where(hers), {"tiers"}),
    "an outer join without the tenant": (select(tiers).outerjoin(prices, same_id).where(hers), {"prices"}),
    "the filter in ON of an outer join": (select(tiers).outerjoin(prices, same_tier & hers), {"tiers", "prices"}),
    "a full outer join": (
        select(tiers).outerjoin(prices, same_tier & hers & her_prices, full=True),
        {"tiers", "prices"},
    ),
    "a subquery in FROM": (select(_all_tiers.subquery()), {"tiers"}),
    "a filter around a limited subquery": (
        select(unnamed).where(unnamed.c.platform_no == ALICE),
        {"tiers"},
    ),
    "a join to a CTE": (select(prices).join(unnamed, p.platform_no == unnamed.c.platform_no), {"tiers", "prices"}),
    "a CTE beside the statement": (select(tiers).where(hers).add_cte(select(prices).cte("beside")), {"prices"}),
    "the step of a recursive CTE": (select(_forest), {"tiers"}),
    "one part of a UNION": (sa.union_all(_her_tiers, select(p.platform_no, p.id)), {"prices"}),
    "EXISTS": (select(tiers).where(hers, select(1).where(same_id).exists()), {"prices"}),
    "EXISTS that is nobody's": (select(tiers).where(select(1).where(her_prices, same_id).exists()), {"tiers"}),
    "NOT EXISTS as the only filter": (delete(tiers).where(~select(1).where(same_tier, her_prices).exists()), {"tiers"}),
    "IN of a query without it": (select(tiers).where(hers, t.id.in_(select(p.tier_id))), {"prices"}),
    "IN as the only filter": (select(tiers).where(t.id.in_(select(p.tier_id).where(her_prices))), {"tiers"}),
    "IN of the same table": (select(tiers).where(t.id.in_(select(t.id).where(hers))), {"tiers"}),
    "NOT IN": (select(prices).where(tuple_(p.platform_no, p.tier_id).not_in(_her_tiers)), {"prices"}),
    "a scalar subquery": (
        select(select(sa.func.count()).select_from(prices).scalar_subquery()).select_from(tiers).where(hers),
        {"prices"},
    ),
    "HAVING": (
        select(t.mode).where(hers).group_by(t.mode).having(select(1).select_from(prices).exists()),
        {"prices"},
    ),
    "ORDER BY": (
        select(tiers).where(hers).order_by(select(p.id).where(same_id).limit(1).scalar_subquery()),
        {"prices"},
    ),
    "UPDATE": (update(tiers).where(t.id == "tier_1").values(name="pro"), {"tiers"}),
    "UPDATE from another table": (update(tiers).where(hers, same_id).values(name=p.currency), {"prices"}),
    "UPDATE to a scalar subquery": (
        update(tiers).where(hers).values(name=select(p.currency).where(same_id).scalar_subquery()),
        {"prices"},
    ),
    "DELETE": (delete(tiers).where(t.id == "tier_1"), {"tiers"}),
    "DELETE of everything": (delete(tiers), {"tiers"}),
    "INSERT of a query": (
        insert(tiers).from_select(["platform_no", "id"], select(p.platform_no, p.id)),
        {"prices"},
    ),
    "INSERT of a scalar subquery": (
        insert(tiers).values(platform_no=ALICE, id=select(p.id).limit(1).scalar_subquery()),
        {"prices"},
    ),
    "an upsert by another key": (
        upserting(key_hashes)
        .values(platform_no=ALICE)
        .on_conflict_do_update(index_elements=[key_hashes.c.hash], set_={"key_id": "key_1"}),
        {"key_hashes"},
    ),
    "numbers by way of a platform that is not named": (
        select(meters).join(platforms, m.platform_no == platforms.c.no).where(platforms.c.name == "Alice"),
        {"meters"},
    ),
    "rows that are parameters of something else": (
        select(payments).join(rows, rows.c.id == payments.c.id),
        {"payments"},
    ),
}


@each_case("shape, statement", NAMED.items())
def test_a_statement_that_names_its_tenant_passes(shape: str, statement: Any) -> None:
    assert unnamed_tables(statement) == set()


@each_case("shape, case", UNNAMED.items())
def test_a_statement_that_does_not_is_found(shape: str, case: tuple[Any, set[str]]) -> None:
    statement, tables = case

    assert unnamed_tables(statement) == tables


def test_the_row_of_a_directory_names_what_is_joined_by_its_tenant() -> None:
    by_hash = select(keys).join_from(key_hashes, keys, k.platform_no == key_hashes.c.platform_no)
    by_id = select(keys).join_from(key_hashes, keys, k.id == key_hashes.c.key_id)

    assert unnamed_tables(by_hash) == {"key_hashes", "keys"}
    assert unnamed_tables(by_hash, known=["key_hashes"]) == set()
    assert unnamed_tables(by_id, known=["key_hashes"]) == {"keys"}
