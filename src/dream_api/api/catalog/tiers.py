"""`/tiers`: create, read, update and archive tiers."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import catalog, store
from dream_api.api.catalog.models import BODY_ERRORS, TIER_EXAMPLE, TIER_RESPONSE, After, Limit, Tier, tier_response
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView, IdempotencyKey
from dream_api.auth.principals import ProjectPrincipal
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.catalog import NewTier, TierChange, TierWithPrices, to_draft
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound
from dream_api.core.http import (
    error_responses,
    example_response,
    idempotent_response,
    json_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch

router = APIRouter(tags=["Catalogue"], prefix="/tiers")

Name = Annotated[str, Path(description="The tier's name.", examples=["pro"])]
_WRITING = (*PROJECT_AUTH_ERRORS, *BODY_ERRORS, store.InventoryBelowHeld)
_CHANGE = {"description": "For teams of any size.", "prices": [{"price": "24.99", "currency": "usd"}]}


class TierList(BaseModel):
    """Newest first."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    data: list[Tier]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


@router.get(
    "",
    summary="List tiers",
    response_model=TierList,
    responses={
        **example_response(200, {"data": [TIER_RESPONSE], "nextCursor": None}),
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def list_tiers(db: Db, acting: CanView, limit: Limit = 100, after: After = None) -> Response:
    """Newest first, without the archived ones."""
    async with db.read() as tx:
        offers = await catalog.list_tiers(
            tx, acting.platform_id, acting.project.id, acting.mode, limit=limit + 1, after=after
        )
        page = await _shown(tx, acting, offers[:limit])
    return json_response(TierList(data=page, next_cursor=page[-1].id if len(offers) > limit else None))


@router.post(
    "",
    summary="Make a tier",
    status_code=201,
    response_model=Tier,
    responses={
        **example_response(201, TIER_RESPONSE),
        **error_responses(*_WRITING, catalog.TierExists, IdempotencyInProgress, IdempotencyMismatch),
    },
    openapi_extra=request_body(NewTier, TIER_EXAMPLE),
)
async def create_tier(request: Request, acting: CanSell, _: IdempotencyKey = None) -> Response:
    """With its limits and prices, in force within a second. Keys stay what they are."""
    body, raw = await read_json_body(request, NewTier)
    draft = to_draft(acting.project.type, body)

    async def effect(tx: Tx) -> Tier:
        made = await catalog.create_tier(tx, acting.project, acting.mode, body.name, draft)
        await store.set_tier_inventory(tx, acting.scope, made.id, body)
        await audit_request(tx, request, acting, "tier.created", about=made.id, details={"tier": body.name})
        return await _named(tx, acting, body.name)

    return await idempotent_response(
        request, platform_id=acting.platform_id, caller=acting.caller, status=201, body=raw, effect=effect
    )


@router.get(
    "/{name}",
    summary="Read a tier",
    response_model=Tier,
    responses={**example_response(200, TIER_RESPONSE), **error_responses(*PROJECT_AUTH_ERRORS, NotFound)},
)
async def read_tier(db: Db, acting: CanView, name: Name) -> Response:
    """Also an archived one."""
    async with db.read() as tx:
        return json_response(await _named(tx, acting, name))


@router.put(
    "/{name}",
    summary="Change a tier",
    response_model=Tier,
    responses={**example_response(200, TIER_RESPONSE), **error_responses(*_WRITING, NotFound, catalog.TierArchived)},
    openapi_extra=request_body(TierChange, _CHANGE),
)
async def change_tier(request: Request, db: Db, acting: CanSell, name: Name) -> Response:
    """What is left out stays; limits and prices are replaced as whole lists.

    No price is changed in place: one that differs becomes a new price, and existing buyers keep the former.
    """
    body, _ = await read_json_body(request, TierChange)
    async with db.write() as tx:
        offer = await catalog.lock_tier(tx, acting.project, acting.mode, name)
        if offer is None:
            raise NotFound("There is no such tier.", param="name")
        draft = to_draft(acting.project.type, body, offer)
        await catalog.update_tier(tx, acting.project, acting.mode, offer, draft)
        await store.set_tier_inventory(tx, acting.scope, offer.id, body)
        await audit_request(tx, request, acting, "tier.changed", about=offer.id, details={"tier": name})
        return json_response(await _named(tx, acting, name))


@router.delete(
    "/{name}",
    summary="Archive a tier",
    response_model=Tier,
    responses={
        **example_response(200, TIER_RESPONSE | {"archivedAt": "2026-11-21T09:14:00Z"}),
        **error_responses(*PROJECT_AUTH_ERRORS, NotFound, catalog.TierIsDefault),
    },
)
async def archive_tier(request: Request, db: Db, acting: CanSell, name: Name) -> Response:
    """For ever hidden from new buyers; those who have it keep it. Its name is not given again."""
    async with db.write() as tx:
        await catalog.archive_tier(tx, acting.project, acting.mode, name)
        await audit_request(tx, request, acting, "tier.archived", about=name)
        return json_response(await _named(tx, acting, name))


async def _named(tx: Tx, acting: ProjectPrincipal, name: str) -> Tier:
    offer = await catalog.find_tier(tx, acting.platform_id, acting.project.id, acting.mode, name)
    [tier] = await _shown(tx, acting, [offer])
    return tier


async def _shown(tx: Tx, acting: ProjectPrincipal, offers: Sequence[TierWithPrices]) -> list[Tier]:
    inventory = await store.get_inventory(tx, acting.scope, [offer.id for offer in offers])
    return [tier_response(offer, acting.mode, inventory[offer.id]) for offer in offers]
