"""The form of a tier: initial values, and parsing into the models of the API, whose rules validate it."""

import json
from collections.abc import Iterable
from typing import Any

from dream_api.catalog import TierCreate, TierLimit, TierUpdate, TierWithPrices
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http import Form, parse_json_body
from dream_api.core.json_input import parse_json
from dream_api.dashboard.forms import FormErrors, Given, parse_integer
from dream_api.platforms import ProjectType
from dream_api.store import Inventory
from dream_api.usage import REQUESTS

# Rows for further limits that are empty, and how many there can be at all.
_SPARE = 2
_MOST = 50
_LIMIT = ("meter", "window", "max", "kind")
_TEXTS = {"displayName": "display_name", "description": "description", "imageUrl": "image_url"}
_CHECKS = {"popular": "is_popular", "isVisible": "is_visible", "default": "is_default", "soldOut": "is_sold_out"}
_CHECKED = "on"


def empty_form() -> Form:
    """A new tier's."""
    return {"isVisible": _CHECKED, **_rows_of([])}


def form_of(offer: TierWithPrices, inventory: Inventory) -> Form:
    """What the tier is now."""
    form = {field: getattr(offer, column) or "" for field, column in _TEXTS.items()}
    form |= {field: _CHECKED for field, column in _CHECKS.items() if getattr(offer, column)}
    form |= {"name": offer.name, "trialDays": str(offer.trial_days or ""), "number": _shown(offer.number)}
    form |= {"inventory": _shown(inventory.on_hand), "lowInventory": _shown(inventory.low_at)}
    form["features"] = (
        json.dumps(offer.features) if isinstance(offer.features, dict) else "\n".join(map(str, offer.features))
    )
    own = next((limit for limit in offer.limits if limit.is_of_period and limit.max is not None), None)
    if own is not None:
        form |= {"limit": str(own.max), "limitKind": own.kind}
    return form | _rows_of([limit for limit in offer.limits if limit is not own])


def rows_in(form: Form) -> list[int]:
    """The numbers of the rows of further limits, those that are empty too."""
    return [row for row in range(_MOST + _SPARE) if f"limits.{row}.meter" in form]


def redisplayed(form: Form) -> Form:
    """What was typed, its rows one after the other as `asked_by` counts them."""
    kept = {name: value for name, value in form.items() if not name.startswith("limits.")}
    filled = [{part: form.get(f"limits.{row}.{part}", "") for part in _LIMIT} for row in _filled(form)]
    for row, limit in enumerate([*filled, *_spare()]):
        kept |= {f"limits.{row}.{part}": value for part, value in limit.items()}
    return kept


def parse_tier(form: Form, project_type: ProjectType, *, is_new: bool) -> TierUpdate:
    """What the form asks for; refuses it as the API does."""
    asked: dict[str, Any] = {field: form.get(field) or None for field in ("description", "imageUrl")}
    asked |= {"popular": "popular" in form, "isVisible": "isVisible" in form, "soldOut": "soldOut" in form}
    asked |= {"number": parse_integer(form, "number"), "features": _features(form.get("features", ""))}
    if form.get("displayName") or not is_new:
        asked["displayName"] = form.get("displayName", "")
    if project_type == "store":
        asked |= {field: parse_integer(form, field) for field in ("inventory", "lowInventory")}
    else:
        asked |= {"default": "default" in form, "trialDays": parse_integer(form, "trialDays") or 0}
        asked["limits"] = _limits(form)
    if is_new:
        asked["name"] = form.get("name", "")
    return parse_json_body(TierCreate if is_new else TierUpdate, json.dumps(asked).encode(), "application/json")


def errors_in(error: AppError, given: Given) -> FormErrors:
    """The sentence by its field: in the form, the limit of a period stands before the rows of others."""
    form: Form = given["form"]
    param = error.param or ""
    sentence = error.sentence.removeprefix(f"{param}: ")
    if "should match pattern" in sentence:
        sentence = "This value has the wrong format."
    kind, _, rest = param.partition(".")
    if kind == "limits" and rest and form.get("limit"):
        row, _, part = rest.partition(".")
        param = "limit" if row == "0" else f"limits.{int(row) - 1}.{part}"
    return {param: sentence[:1].upper() + sentence[1:]}


def _limits(form: Form) -> list[dict[str, Any]]:
    own = parse_integer(form, "limit")
    limits: list[dict[str, Any]] = []
    if own is not None:
        kind = form.get("limitKind") or "hard"
        limits.append({"meter": REQUESTS, "window": "period", "kind": kind, "max": own})
    for place, row in enumerate(_filled(form)):
        try:
            most = parse_integer(form, f"limits.{row}.max")
        except ValidationFailed as error:
            raise ValidationFailed(error.sentence, param=f"limits.{place + (own is not None)}.max") from None
        one = {part: form.get(f"limits.{row}.{part}", "") for part in ("meter", "window", "kind")}
        limits.append({**one, "max": most})
    return limits


def _filled(form: Form) -> list[int]:
    return [row for row in rows_in(form) if form[f"limits.{row}.meter"] or form.get(f"limits.{row}.max")]


def _spare() -> list[dict[str, str]]:
    return [{"meter": "", "window": "day", "max": "", "kind": "hard"}] * _SPARE


def _rows_of(limits: Iterable[TierLimit]) -> Form:
    rows = [{"meter": one.meter, "window": one.window.wire, "max": _shown(one.max), "kind": one.kind} for one in limits]
    return {f"limits.{row}.{part}": value for row, one in enumerate([*rows, *_spare()]) for part, value in one.items()}


def _features(typed: str) -> Any:
    """One a line, or the developer's own object."""
    if typed.startswith("{"):
        try:
            return parse_json(typed)
        except ValueError:
            raise ValidationFailed(
                "Not a valid JSON object. Enter one feature per line instead.", param="features"
            ) from None
    return [line.strip() for line in typed.splitlines() if line.strip()]


def _shown(number: int | None) -> str:
    return "" if number is None else str(number)
