"""`/dashboard/{projectId}/{mode}`: what the project comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import dashboard, keys
from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.core.web import words
from dream_api.dashboard import Bars, Figures, Revenue, Trend
from dream_api.dashboard.frame import Frame, PageRoute
from dream_api.dashboard.views.showing import short_day, told_event
from dream_api.gate.visiting import InProject, ProjectVisit
from dream_api.usage import REQUESTS, Span

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_frame = Frame("dream_api.dashboard.views")
SPANS = (7, 30, 90)
_BY_DEFAULT = 30
_SHOWN_EVENTS = 6
_SHOWN_NEAR = 5


@dataclass(frozen=True, slots=True)
class Card:
    """A figure; `change` is told in its tone, `beside` in plain words, `more` in lines of their own."""

    label: str
    figure: str
    change: str = ""
    tone: str = ""
    beside: str = ""
    spark: str = ""
    more: Sequence[str] = ()


@router.get("/dashboard/{projectId}/{mode}")
async def overview(request: Request, visit: InProject, days: str = "") -> Response:
    wanted = int(days) if days in {str(span) for span in SPANS} else _BY_DEFAULT
    database: Database = request.app.state.database
    async with database.read() as tx:
        figures = await dashboard.figures_of(tx, visit.project, visit.mode, days=wanted)
        cards, chart = await (_of_store if visit.project.type == "store" else _of_saas)(tx, visit, figures, wanted)
        all_keys = await keys.of_project(tx, visit.platform_id, visit.project.id, visit.mode)
    now = clock.now()
    working = [key for key in all_keys if key.revoked_at is None and (key.expires_at is None or key.expires_at > now)]
    return _frame.show(
        visit,
        "overview.html",
        here="overview",
        days=wanted,
        spans=SPANS,
        cards=cards,
        chart=chart,
        near=figures.near_limits[:_SHOWN_NEAR],
        scarce=figures.low_stock[:_SHOWN_NEAR],
        events=[told_event(row) for row in figures.events[:_SHOWN_EVENTS]],
        key=next((key for key in reversed(working) if key.kind == "secret"), None),
        link_base=request.app.state.settings.link_base,
    )


async def _of_saas(tx: Tx, visit: ProjectVisit, figures: Figures, days: int) -> tuple[list[Card], Bars]:
    scope = visit.acting.scope
    trends = await dashboard.trends_of(tx, scope, figures.span)
    before = Span(figures.span.starts_at - days * clock.DAY, figures.span.starts_at)
    calls = next((used for used in figures.usage if used.meter == REQUESTS), figures.usage[0])
    meter = await dashboard.used_before(tx, visit.project, scope, calls.meter, before)
    cards = [
        _mrr(figures, trends, days),
        _subscriptions(figures, trends),
        Card(
            "Metered calls",
            words.compact(calls.calls),
            *_change(calls.calls, meter),
            f"on the {days} days before" if meter else f"in {days} days",
            dashboard.spark_of([day.calls for day in calls.days]),
        ),
        _problems(figures),
    ]
    return cards, dashboard.bars_of([(int(day.of), day.calls) for day in calls.days], short_day)


def _mrr(figures: Figures, trends: Sequence[Trend], days: int) -> Card:
    trend = trends[0] if len(trends) == 1 else None
    change = None if trend is None else trend.change
    return Card(
        "Monthly recurring revenue",
        _first(figures.subscriptions.mrr),
        "" if change is None else _signed(change),
        "" if change is None else ("good" if change >= 0 else "bad"),
        f"in {days} days" if change is not None else "nobody pays yet" if not figures.subscriptions.mrr else "",
        "" if trend is None else dashboard.spark_of(trend.monthly),
        _others(figures.subscriptions.mrr),
    )


def _subscriptions(figures: Figures, trends: Sequence[Trend]) -> Card:
    s = figures.subscriptions
    counts = [sum(each) for each in zip(*(trend.counts for trend in trends), strict=True)]
    started = f"+{words.number(s.started)}" if s.started else ""
    ended = f"{words.number(s.ended)} ended" if s.ended else "none ended"
    spark = dashboard.spark_of(counts)
    return Card("Active subscriptions", words.number(s.holding), started, "good", ended, spark)


def _problems(figures: Figures) -> Card:
    late = figures.subscriptions.by_status["past_due"]
    at_risk = figures.subscriptions.past_due
    risk = f"{words.amounts(at_risk)} a month at risk" if at_risk else ""
    beside = "" if late else "every subscription is paid"
    return Card("Payment problems", words.number(late), risk, "bad", beside)


async def _of_store(tx: Tx, visit: ProjectVisit, figures: Figures, days: int) -> tuple[list[Card], Bars]:
    before = Span(figures.span.starts_at - days * clock.DAY, figures.span.starts_at)
    earlier = await dashboard.revenue_before(tx, visit.acting.scope, before)
    main = figures.revenue[0] if figures.revenue else None
    orders = sum(figures.orders[status] for status in ("completed", "refunded"))
    average = {one.currency: one.total.gross // orders for one in figures.revenue} if orders else {}
    by_currency = {one.currency: one.total.net for one in figures.revenue}
    change = _change(main.total.net, earlier.get(main.currency, 0)) if main and len(figures.revenue) == 1 else ("", "")
    sold_out = sum(each.available <= 0 for each in figures.low_stock)
    cards = [
        Card(
            "Revenue",
            _first(by_currency),
            *change,
            f"on the {days} days before" if change[0] else f"in {days} days",
            dashboard.spark_of([day.net for day in main.days.values()]) if main else "",
            _others(by_currency),
        ),
        Card("Orders paid", words.number(orders), beside=f"{figures.orders['processing']} being paid"),
        Card("Average order", _first(average), more=_others(average)),
        Card(
            "Low stock",
            words.number(len(figures.low_stock)),
            f"{sold_out} sold out" if sold_out else "",
            "bad",
            "" if figures.low_stock else "nothing runs out",
        ),
    ]
    return cards, _revenue_bars(main, figures.span)


def _revenue_bars(revenue: Revenue | None, span: Span) -> Bars:
    """In whole major units would hide small sums: minor units, of the first currency."""
    days = range(span.starts_at, span.ends_at, clock.DAY)
    found = {} if revenue is None else {day: amounts.net for day, amounts in revenue.days.items()}
    return dashboard.bars_of([(day, found.get(day, 0)) for day in days], short_day)


def _first(amounts: Mapping[str, int]) -> str:
    """What is told largest; other currencies stand below."""
    return next((words.amount(minor, currency) for currency, minor in sorted(amounts.items())), "0")


def _others(amounts: Mapping[str, int]) -> list[str]:
    return [words.amount(minor, currency) for currency, minor in sorted(amounts.items())[1:]]


def _change(now: int, before: int) -> tuple[str, str]:
    """As text and tone; nothing where there was nothing before."""
    if before <= 0:
        return "", ""
    return _signed((now - before) / before), "good" if now >= before else "bad"


def _signed(part: float) -> str:
    return ("+" if part >= 0 else "−") + words.percent(abs(part))
