"""`POST /create-products`: create a project with its tiers in one call."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import catalog, keys, platforms, store
from dream_api.api.catalog.models import BODY_ERRORS, TIER_EXAMPLE, TIER_RESPONSE, Tier, tier_response
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanManagePlatform, IdempotencyKey
from dream_api.auth.tenant_resolution import PLATFORM_AUTH_ERRORS
from dream_api.catalog import NewTier, to_draft
from dream_api.core import secrets
from dream_api.core.db import Tx
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http import (
    RequestModel,
    error_responses,
    example_response,
    idempotent_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import SettingsDep
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch
from dream_api.platforms import Mode, Project, ProjectScope, ProjectType

router = APIRouter(tags=["Catalogue"])

_MODE: Mode = "test"
_MOST = 100


class NewProject(RequestModel):
    """A project to make, with what it sells in test mode."""

    name: str = Field(max_length=120, description="What people call it.")
    project_type: ProjectType = Field(description="saas sells by the period, store sells things; it never changes.")
    products: list[NewTier] = Field([], max_length=_MOST)


class ProjectWithProducts(BaseModel):
    """A new project, with its test keys."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    project_id: str
    name: str
    project_type: ProjectType
    publishable_key: str
    secret_key: str | None = Field(description="null in a replay; a test key can be revealed again.")
    products: list[Tier] = Field(description="Newest first; a saas project begins with the tier free.")


_EXAMPLE = {"name": "My API", "projectType": "saas", "products": [TIER_EXAMPLE]}
_SHOWN: dict[str, Any] = {
    "projectId": "prj_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "name": "My API",
    "projectType": "saas",
    "publishableKey": "pk_test_…",
    "secretKey": "sk_test_…",
    "products": [TIER_RESPONSE],
}


@router.post(
    "/create-products",
    summary="Make a project with its products",
    status_code=201,
    response_model=ProjectWithProducts,
    responses={
        **example_response(201, _SHOWN),
        **error_responses(*PLATFORM_AUTH_ERRORS, *BODY_ERRORS, IdempotencyInProgress, IdempotencyMismatch),
    },
    openapi_extra=request_body(NewProject, _EXAMPLE),
)
async def create_products(
    request: Request, settings: SettingsDep, developer: CanManagePlatform, _: IdempotencyKey = None
) -> Response:
    """In one transaction: the project, its products and its test keys."""
    body, raw = await read_json_body(request, NewProject)
    instance_key = secrets.instance_key(settings)

    async def effect(tx: Tx) -> ProjectWithProducts:
        project = await catalog.create_project_with_defaults(
            tx, developer.platform, body.name, body.project_type, platforms.MODES
        )
        await _put_products(tx, project, body.products)
        publishable, secret = await keys.issue_pair(
            tx, project, _MODE, instance_key=instance_key, created_by=developer.caller
        )
        await audit_request(tx, request, developer, "project.created", about=project.id, details={"keys": _MODE})
        return ProjectWithProducts(
            project_id=project.id,
            name=project.name,
            project_type=project.type,
            publishable_key=publishable.token,
            secret_key=secret.token,
            products=await _shown(tx, project),
        )

    return await idempotent_response(
        request,
        platform_id=developer.platform.id,
        caller=developer.caller,
        status=201,
        body=raw,
        effect=effect,
        secrets=("secretKey",),
    )


async def _put_products(tx: Tx, project: Project, asked: list[NewTier]) -> None:
    """The tiers, in their order; a saas project has the tier free already, which may be among them."""
    for place, one in enumerate(asked):
        try:
            if any(one.name == other.name for other in asked[:place]):
                raise ValidationFailed("There are two products of this name.", param="name")
            await _put_product(tx, project, one)
        except AppError as error:
            error.param = f"products.{place}.{error.param}"
            raise


async def _put_product(tx: Tx, project: Project, asked: NewTier) -> None:
    offer = await catalog.lock_tier(tx, project, _MODE, asked.name)
    draft = to_draft(project.type, asked, offer)
    if offer is not None:
        await catalog.update_tier(tx, project, _MODE, offer, draft)
        return
    made = await catalog.create_tier(tx, project, _MODE, asked.name, draft)
    await store.set_tier_inventory(tx, _scope(project), made.id, asked)


async def _shown(tx: Tx, project: Project) -> list[Tier]:
    offers = await catalog.list_tiers(tx, project.platform_id, project.id, _MODE)
    inventory = await store.get_inventory(tx, _scope(project), [offer.id for offer in offers])
    return [tier_response(offer, _MODE, inventory[offer.id]) for offer in offers]


def _scope(project: Project) -> ProjectScope:
    return ProjectScope(project.platform_id, project.platform_no, project.id, _MODE)
