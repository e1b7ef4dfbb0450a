"""Response models of figures; docs/guide/figures.md defines each key."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field, ValidationInfo, computed_field

from dream_api.analytics import Amounts, Totals
from dream_api.api.analytics import examples
from dream_api.api.catalog.models import WindowOfLimit
from dream_api.api.enums import Mode, ProjectType
from dream_api.api.events import Event
from dream_api.api.models import ResponseModel, Timestamp, attributes_of, example
from dream_api.core import money

_FROM = "The start of the first day."
_TO = "The end of today, which is the last day."
Share = Annotated[float | None, Field(description="From 0 to 1. null: there were no subscriptions at the start.")]
Minor = Annotated[int, Field(description="In minor units of the currency.")]


def _by_currency(value: Mapping[str, int] | list[Any]) -> list[Any]:
    if isinstance(value, list):
        return value
    return [{"currency": currency, "amount": amount} for currency, amount in value.items()]


def _in_currency(value: Any, info: ValidationInfo) -> Any:
    return {"currency": info.data["currency"], "amount": value} if isinstance(value, int) else value


def _by_day(value: Mapping[int, Amounts] | list[Any]) -> list[Any]:
    if isinstance(value, list):
        return value
    return [attributes_of(amounts) | {"at": at, "net": amounts.net} for at, amounts in value.items()]


class Money(ResponseModel):
    """An amount of money."""

    currency: str
    amount: int = Field(description="In minor units.")

    @computed_field(description="The amount in major units, such as 19.99.")
    @property
    def price(self) -> str:
        return money.to_major(self.amount, self.currency)


Moneys = Annotated[list[Money], BeforeValidator(_by_currency)]
Sum = Annotated[Money, BeforeValidator(_in_currency)]


class SubscriptionFigures(ResponseModel):
    """The numbers of current, started and ended subscriptions."""

    by_status: dict[str, int]
    holding: int
    started: int
    ended: int
    held_at_start: int
    lost: int
    churn: Share
    trials_over: int
    trials_converted: int
    trial_conversion: Share


class CustomerFigures(ResponseModel):
    """The number of customers and of new customers."""

    active: int
    new: int


class RevenueDay(ResponseModel):
    """The payments and refunds of a day, in minor units of the currency."""

    at: Timestamp
    gross: Minor
    refunded: Minor
    lost: Minor
    net: Minor


class RevenueSums(ResponseModel):
    """The payments and refunds in one currency."""

    currency: str
    gross: Sum = Field(validation_alias=AliasPath("total", "gross"))
    refunded: Sum = Field(validation_alias=AliasPath("total", "refunded"))
    lost: Sum = Field(validation_alias=AliasPath("total", "lost"))
    net: Sum = Field(validation_alias=AliasPath("total", "net"))


class RevenueFigures(RevenueSums):
    """Revenue in one currency, with every day, oldest first."""

    days: Annotated[list[RevenueDay], BeforeValidator(_by_day)]


class UsageDay(ResponseModel):
    """The usage of a meter on a day."""

    at: Timestamp = Field(validation_alias="of")
    total: int
    calls: int


class UsageFigures(ResponseModel):
    """The usage of a meter, with every day, oldest first."""

    meter: str
    total: int
    calls: int
    days: list[UsageDay]


class NearLimit(ResponseModel):
    """A customer who has nearly reached a hard limit."""

    customer: str = Field(validation_alias="customer_id")
    user_id: str
    plan: str
    meter: str
    window: WindowOfLimit
    count: int
    limit: int
    percent: int
    period_end: Timestamp | None = Field(validation_alias=AliasChoices("ends_at", "periodEnd"))


class LowStock(ResponseModel):
    """A product with low stock."""

    tier: str
    display_name: str
    inventory: int
    held: int
    available: int
    low_at: int | None


class Dashboard(ResponseModel, json_schema_extra=example(examples.DASHBOARD)):
    """The metrics of a project in one mode."""

    mode: Mode
    starts_at: Timestamp = Field(
        validation_alias=AliasPath("span", "starts_at"), serialization_alias="from", description=_FROM
    )
    ends_at: Timestamp = Field(validation_alias=AliasPath("span", "ends_at"), serialization_alias="to", description=_TO)
    mrr: Moneys = Field(validation_alias=AliasPath("subscriptions", "mrr"))
    trial_mrr: Moneys = Field(validation_alias=AliasChoices(AliasPath("subscriptions", "trial_mrr"), "trialMrr"))
    subscriptions: SubscriptionFigures
    customers: CustomerFigures
    revenue: list[RevenueFigures]
    usage: list[UsageFigures]
    near_limits: list[NearLimit]
    orders: dict[str, int]
    low_stock: list[LowStock]
    events: list[Event]


class LiveFigures(ResponseModel):
    """The sums of one project or of several."""

    mrr: Moneys
    trial_mrr: Moneys
    subscriptions: int
    customers: CustomerFigures
    revenue: list[RevenueSums]


class ProjectFigures(LiveFigures):
    """The metrics of one project."""

    project: str
    name: str
    type: ProjectType


class DashboardTotals(LiveFigures, json_schema_extra=example(examples.TOTALS)):
    """The live metrics of a platform."""

    starts_at: Timestamp = Field(serialization_alias="from", description=_FROM)
    ends_at: Timestamp = Field(serialization_alias="to", description=_TO)
    projects: list[ProjectFigures]


def to_totals(totals: Totals) -> DashboardTotals:
    projects = [
        {**attributes_of(sums), "project": project.id, "name": project.name, "type": project.type}
        for project, sums in totals.projects
    ]
    span = {"starts_at": totals.span.starts_at, "ends_at": totals.span.ends_at}
    return DashboardTotals.model_validate({**attributes_of(totals.altogether), **span, "projects": projects})
