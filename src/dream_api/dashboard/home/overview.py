"""`/dashboard/{projectId}/{mode}`: key figures of a project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from dream_api import analytics, keys, usage, webhooks
from dream_api.analytics import LowStock, Nearest, Revenue, Subscriptions, Trend
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.html import format as words
from dream_api.core.html.format import short_day
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.charts import Bars, bars_of, spark_of
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage
from dream_api.dashboard.event_summaries import summarize_events
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.usage import Span

router = APIRouter(route_class=PageRoute, include_in_schema=False)
SPANS = (7, 30, 90)
_BY_DEFAULT = 30
_SHOWN_EVENTS = 6
_SHOWN_NEAR = 5
# From here on a change is shown as a factor: percentages that large say little.
_MANY_TIMES = 10


@dataclass(frozen=True, slots=True)
class Card:
    """A figure; `change` is shown in its tone, `caption` as plain text, `more` in lines of their own."""

    label: str
    figure: str
    change: str = ""
    tone: str = ""
    caption: str = ""
    spark: str = ""
    more: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """What a kind of project shows: figures, a chart, and what needs a look."""

    cards: Sequence[Card]
    chart: Bars
    # In which the chart counts money; none where it counts calls.
    currency: str = ""
    near: Nearest | None = None
    scarce: Sequence[LowStock] = ()


@router.get("/dashboard/{projectId}/{mode}")
async def overview(db: Db, settings: SettingsDep, visit: ProjectPage, days: str = "") -> Response:
    wanted = int(days) if days in {str(span) for span in SPANS} else _BY_DEFAULT
    async with db.read() as tx:
        board = await (_of_store if visit.project.type == "store" else _of_saas)(tx, visit, wanted)
        all_keys = await keys.of_project(tx, visit.platform_no, visit.project.id, visit.mode)
        events = await webhooks.list_events(
            tx, visit.platform_no, visit.project.id, visit.mode, kind=None, limit=_SHOWN_EVENTS, after=None
        )
        summaries = await summarize_events(tx, visit.platform_no, events)
    now = visit.real_now
    working = [key for key in all_keys if key.revoked_at is None and (key.expires_at is None or key.expires_at > now)]
    return render_page(
        visit,
        "home/overview.html",
        here="overview",
        days=wanted,
        spans=SPANS,
        board=board,
        shown_near=_SHOWN_NEAR,
        events=summaries,
        key=next((key for key in reversed(working) if key.kind == "secret"), None),
        link_base=settings.link_base,
    )


async def _of_saas(tx: Tx, visit: ProjectContext, days: int) -> Board:
    """Of the figures that docs/guide/figures.md defines, those by which a saas project lives."""
    scope = visit.acting.scope
    now = visit.project_now
    span = analytics.last_days(days, now)
    meters = await usage.meters_of(tx, scope.platform_no, visit.project.no)
    subscribed = await analytics.get_subscriptions(tx, scope, span)
    trends = await analytics.get_subscription_trends(tx, scope, span)
    meter = meters[usage.REQUESTS]
    (used,) = await analytics.get_meter_usage(tx, scope, [meter], Span(span.starts_at - days * clock.DAY, span.ends_at))
    lately = used.days[days:]
    calls, before = (sum(day.calls for day in part) for part in (lately, used.days[:days]))
    cards = [
        _mrr(subscribed, trends, days),
        _subscriptions(subscribed, trends),
        Card(
            "Metered calls",
            words.compact(calls),
            *_change(calls, before),
            f"vs. previous {days} days" if before else f"last {days} days",
            spark_of([day.calls for day in lately]),
        ),
        _problems(subscribed),
    ]
    chart = bars_of([(int(day.of), day.calls) for day in lately], short_day)
    near = await analytics.near_limits(tx, scope, list(meters.values()), now)
    return Board(cards, chart, near=near)


def _mrr(subscribed: Subscriptions, trends: Sequence[Trend], days: int) -> Card:
    trend = trends[0] if len(trends) == 1 else None
    change = None if trend is None else trend.change
    return Card(
        "Monthly recurring revenue",
        _first(subscribed.mrr),
        "" if change is None else _signed(change),
        "" if change is None else ("good" if change >= 0 else "bad"),
        f"last {days} days" if change is not None else "no paying customers yet" if not subscribed.mrr else "",
        "" if trend is None else spark_of(trend.monthly),
        _others(subscribed.mrr),
    )


def _subscriptions(s: Subscriptions, trends: Sequence[Trend]) -> Card:
    counts = [sum(each) for each in zip(*(trend.counts for trend in trends), strict=True)]
    started = f"+{words.number(s.started)}" if s.started else ""
    ended = f"{words.number(s.ended)} canceled" if s.ended else "0 canceled"
    spark = spark_of(counts)
    return Card("Active subscriptions", words.number(s.holding), started, "good", ended, spark)


def _problems(s: Subscriptions) -> Card:
    late, at_risk = s.by_status["past_due"], s.past_due
    risk = f"{words.amounts(at_risk)} per month at risk" if at_risk else ""
    caption = "" if late else "no failed payments"
    return Card("Payment problems", words.number(late), risk, "bad", caption)


async def _of_store(tx: Tx, visit: ProjectContext, days: int) -> Board:
    scope = visit.acting.scope
    span = analytics.last_days(days, visit.project_now)
    revenue = await analytics.get_revenue(tx, scope, span)
    earlier = await analytics.get_revenue(tx, scope, Span(span.starts_at - days * clock.DAY, span.starts_at))
    by_status = await analytics.count_orders_by_status(tx, scope, span)
    scarce = await analytics.get_low_stock(tx, scope)
    main = revenue[0] if revenue else None
    orders = by_status["completed"] + by_status["refunded"]
    average = {one.currency: one.total.gross // orders for one in revenue} if orders else {}
    by_currency = {one.currency: one.total.net for one in revenue}
    before = {one.currency: one.total.net for one in earlier}
    change = _change(main.total.net, before.get(main.currency, 0)) if main and len(revenue) == 1 else ("", "")
    sold_out = sum(each.available <= 0 for each in scarce)
    cards = [
        Card(
            "Revenue",
            _first(by_currency),
            *change,
            f"vs. previous {days} days" if change[0] else f"last {days} days",
            spark_of([day.net for day in main.days.values()]) if main else "",
            _others(by_currency),
        ),
        Card("Paid orders", words.number(orders), caption=f"{by_status['processing']} pending"),
        Card("Average order value", _first(average), more=_others(average)),
        Card(
            "Low stock",
            words.number(len(scarce)),
            f"{sold_out} sold out" if sold_out else "",
            "bad",
            "" if scarce else "no product is low",
        ),
    ]
    currency = main.currency if main else ""
    return Board(cards, _revenue_bars(main, span), currency, scarce=scarce[:_SHOWN_NEAR])


def _revenue_bars(revenue: Revenue | None, span: Span) -> Bars:
    """Of the first currency."""
    days = range(span.starts_at, span.ends_at, clock.DAY)
    found = {} if revenue is None else {day: amounts.net for day, amounts in revenue.days.items()}
    return bars_of([(day, found.get(day, 0)) for day in days], short_day)


def _first(amounts: Mapping[str, int]) -> str:
    """The figure that is shown largest; other currencies stand below."""
    return next((words.rounded(minor, currency) for currency, minor in sorted(amounts.items())), "0")


def _others(amounts: Mapping[str, int]) -> list[str]:
    return [words.format_amount(minor, currency) for currency, minor in sorted(amounts.items())[1:]]


def _change(now: int, before: int) -> tuple[str, str]:
    """As text and tone; nothing where there was nothing before."""
    if before <= 0:
        return "", ""
    return _signed((now - before) / before), "good" if now >= before else "bad"


def _signed(part: float) -> str:
    if part >= _MANY_TIMES:
        return f"×{part + 1:.0f}"
    return ("+" if part >= 0 else "−") + words.percent(abs(part))
