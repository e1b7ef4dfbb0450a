"""`POST /api/data/batch`: count many calls at once."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from dream_api import customers
from dream_api.api.usage.models import (
    BODY_ERRORS,
    USAGE_EXAMPLE,
    BatchItem,
    Counted,
    EventKey,
    event_key_of,
    moment_of,
    quantity_of,
)
from dream_api.auth.authenticator import SECRET_KEY_ERRORS
from dream_api.auth.dependencies import SecretKeyAuth
from dream_api.core.errors import AppError, Overloaded
from dream_api.core.http import (
    Error,
    RequestModel,
    error_body,
    error_responses,
    example_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import SettingsDep
from dream_api.core.idempotency import validate_key
from dream_api.keys import Key
from dream_api.metering import CallResult, CallTerms, UsageCall, build_call, limit_error, response_body
from dream_api.metering.dependencies import MeteringDep
from dream_api.platforms import SaasProjectRequired

router = APIRouter(tags=["Usage"])
LARGEST_BATCH = 1_000


class BatchCreate(RequestModel):
    """Up to 1,000 calls, each counted or refused on its own, in their order."""

    items: list[BatchItem] = Field(min_length=1, max_length=LARGEST_BATCH)


class CountedItem(Counted):
    """An item that was counted."""

    status: Literal[200]


class RefusedItem(Error):
    """An item that was not counted; at a limit with `allowed`, `usage` and `limits` as well."""

    status: int = Field(description="The status that the call would have had by itself.")


class Batch(BaseModel):
    """One answer for each item, in their order."""

    results: list[Annotated[CountedItem | RefusedItem, Field()]]


_EXAMPLE = {"items": [{"userId": "user_123"}, {"userId": "user_456", "meter": "requests", "quantity": 5}]}


@router.post(
    "/api/data/batch",
    summary="Count many calls",
    response_model=Batch,
    responses={
        **example_response(200, {"results": [{"status": 200, "allowed": True, **USAGE_EXAMPLE}] * 2}),
        **error_responses(*SECRET_KEY_ERRORS, *BODY_ERRORS, SaasProjectRequired),
    },
    openapi_extra=request_body(BatchCreate, _EXAMPLE),
)
async def count_batch(
    request: Request, settings: SettingsDep, engine: MeteringDep, key: SecretKeyAuth, event_key: EventKey = None
) -> Response:
    """Each item is counted or refused as `POST /api/data` would, and answered in its place; a body of the wrong form
    counts nothing. Under one `Idempotency-Key`, each item is remembered by its place: send the whole batch again."""
    body, _ = await read_json_body(request, BatchCreate)
    terms = await engine.get_terms(key)
    calls = [_call(key, terms, item, place, event_key) for place, item in enumerate(body.items)]
    results = await engine.count_all(calls)
    link_base: str = settings.link_base
    request_id: str = request.state.request_id
    items = [_item_json(result, place, request_id, link_base) for place, result in enumerate(results)]
    return Response(f'{{"results":[{",".join(items)}]}}', media_type="application/json")


def _call(key: Key, terms: CallTerms, item: BatchItem, place: int, header: str | None) -> UsageCall | AppError:
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
