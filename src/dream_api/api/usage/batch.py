"""`POST /api/data/batch`: count many calls at once."""

import json
from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import Field

from dream_api import customers
from dream_api.api.endpoint import Endpoints, JsonBody
from dream_api.api.models import ResponseModel, example
from dream_api.api.usage.models import (
    USAGE_EXAMPLE,
    BatchEventCreate,
    EventKey,
    UsageTracked,
    event_key_of,
    moment_of,
    quantity_of,
)
from dream_api.auth.dependencies import SecretKeyAuth
from dream_api.core.errors import AppError, Overloaded
from dream_api.core.http import (
    Error,
    ModelResponse,
    RequestModel,
    error_body,
)
from dream_api.core.http.dependencies import SettingsDep
from dream_api.core.idempotency import validate_key
from dream_api.keys import Key
from dream_api.metering import CallResult, CallTerms, UsageCall, build_call, limit_error, response_body
from dream_api.metering.dependencies import MeteringDep
from dream_api.platforms import SaasProjectRequired

endpoints = Endpoints("Usage", "/api/data")
LARGEST_BATCH = 1_000
_EXAMPLE = {"items": [{"userId": "user_123"}, {"userId": "user_456", "meter": "requests", "quantity": 5}]}


class UsageBatchCreate(RequestModel, json_schema_extra=example(_EXAMPLE)):
    """Up to 1,000 events, each counted or rejected on its own, in their order."""

    items: list[BatchEventCreate] = Field(min_length=1, max_length=LARGEST_BATCH)


class BatchEventTracked(UsageTracked):
    """An event that was counted."""

    status: Literal[200]


class BatchEventRejected(Error):
    """An event that was not counted. If a limit was reached, it also has `allowed`, `usage` and `limits`."""

    status: int = Field(description="The status that the event would have as a single request.")


class UsageBatch(
    ResponseModel,
    json_schema_extra=example({"results": [{"status": 200, "allowed": True, **USAGE_EXAMPLE}] * 2}),
):
    """One result for each event, in the same order."""

    results: list[Annotated[BatchEventTracked | BatchEventRejected, Field()]]


@endpoints.post("/batch", "usage.trackBatch", "Track a batch of usage", errors=(SaasProjectRequired,))
async def track_usage_batch(
    request: Request,
    settings: SettingsDep,
    engine: MeteringDep,
    key: SecretKeyAuth,
    body: JsonBody[UsageBatchCreate],
    event_key: EventKey = None,
) -> ModelResponse[UsageBatch]:
    """Each event is counted or rejected like a single call, and its result has the same position. If the body is
    invalid, nothing is counted. An `Idempotency-Key` identifies events by their position: retry with the whole
    batch."""
    terms = await engine.get_terms(key)
    calls = [_call(key, terms, item, place, event_key) for place, item in enumerate(body.items)]
    results = await engine.count_all(calls)
    link_base: str = settings.link_base
    request_id: str = request.state.request_id
    items = [_item_json(result, place, request_id, link_base) for place, result in enumerate(results)]
    return ModelResponse(f'{{"results":[{",".join(items)}]}}')


def _call(key: Key, terms: CallTerms, item: BatchEventCreate, place: int, header: str | None) -> UsageCall | AppError:
    try:
        own = item.idempotency_key
        return build_call(
            key,
            terms,
            user_id=customers.validate_user_id(item.user_id, "userId"),
            plan=item.plan,
            plan_param="plan",
            meter=item.meter,
            quantity=quantity_of(item),
            subject=item.subject,
            timestamp=moment_of(item),
            idempotency_key=event_key_of(None, item) if own is not None else validate_key(header),
            item=place if own is None else 0,
        )
    except SaasProjectRequired:
        raise
    except AppError as error:
        return error


def _item_json(result: CallResult | AppError, place: int, request_id: str, link_base: str) -> str:
    if isinstance(result, CallResult):
        if result.is_allowed:
            return f'{{"status":200,{response_body(result)[1:]}'
        result = limit_error(result)
    elif isinstance(result, Overloaded):
        raise result
    body: dict[str, Any] = {"status": result.status, **error_body(result, request_id, link_base)}
    if result.param is not None:
        body["param"] = f"items.{place}.{result.param}"
    return json.dumps(body, ensure_ascii=False)
