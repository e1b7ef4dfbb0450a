"""`/projects`: the projects of a platform."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from dream_api import audit, catalog, keys, platforms, retention
from dream_api.api.platforms.models import (
    BODY_ERRORS,
    PROJECT_EXAMPLE,
    Done,
    RefundLimitUpdate,
    ResponseModel,
    ShownProject,
    project_response,
)
from dream_api.auth.dependencies import CanManagePlatform, IdempotencyKey, PlatformMember
from dream_api.auth.principals import PlatformPrincipal
from dream_api.auth.rate_limit import client_address
from dream_api.auth.tenant_resolution import PLATFORM_AUTH_ERRORS
from dream_api.core import errors, secrets
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import (
    RequestModel,
    error_responses,
    example_response,
    idempotent_response,
    json_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.platforms import OperatorProjectRequired, Project, ProjectType

router = APIRouter(tags=["Platforms"], prefix="/projects")

_MOST_ORIGINS = 100
Id = Annotated[str, Path(alias="id", max_length=64, pattern=r"^[^\x00]*$", examples=["prj_01k9q3v8zd0g2m4n6p8r0t2v4w"])]
_Origins = Annotated[list[str], Field(max_length=_MOST_ORIGINS)]


class NewProject(RequestModel):
    """A project to make."""

    name: str = Field(max_length=120, description="What people call it.")
    project_type: ProjectType = Field(description="saas sells by the period, store sells things; it never changes.")
    origins: _Origins = Field([], description="Its websites, such as https://myapp.com or https://*.myapp.com.")
    refund_limit: RefundLimitUpdate | None = Field(None, description="null: members give nothing back.")
    live: bool = Field(False, description="Whether to make live keys as well.")


class ProjectUpdate(RequestModel):
    """What is to change; what is left out stays."""

    name: str = Field("", max_length=120)
    origins: _Origins = Field([], description="All of its websites.")
    refund_limit: RefundLimitUpdate | None = Field(None, description="null: members give nothing back.")


class CreatedProject(ShownProject):
    """A new project with its keys; secret ones are null in a replay."""

    publishable_key: str
    secret_key: str | None = Field(description="Of test mode; owners and admins may read it again.")
    live_publishable_key: str | None
    live_secret_key: str | None = Field(description="Returned this once.")


class ProjectList(ResponseModel):
    """Newest first."""

    data: list[ShownProject]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


_MADE = {
    **PROJECT_EXAMPLE,
    "publishableKey": "pk_test_…",
    "secretKey": "sk_test_…",
    "livePublishableKey": None,
    "liveSecretKey": None,
}


@router.get(
    "",
    summary="List projects",
    response_model=ProjectList,
    responses={
        **example_response(200, {"data": [PROJECT_EXAMPLE], "nextCursor": None}),
        **error_responses(*PLATFORM_AUTH_ERRORS),
    },
)
async def list_projects(
    db: Db,
    developer: PlatformMember,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to answer.")] = 20,
    after: Annotated[
        str | None, Query(pattern="^prj_[0-9a-z]{26}$", description="The `nextCursor` of the page before.")
    ] = None,
) -> Response:
    """The platform's, newest first."""
    async with db.read() as tx:
        rows = await platforms.page_of_projects(tx, developer.platform.id, limit=limit + 1, after=after)
    page = [project_response(row) for row in rows[:limit]]
    return json_response(ProjectList(data=page, next_cursor=page[-1].project_id if len(rows) > limit else None))


@router.post(
    "",
    summary="Make a project",
    status_code=201,
    response_model=CreatedProject,
    responses={**example_response(201, _MADE), **error_responses(*PLATFORM_AUTH_ERRORS, *BODY_ERRORS)},
    openapi_extra=request_body(
        NewProject, {"name": "My API", "projectType": "saas", "origins": ["https://myapp.com"], "live": True}
    ),
)
async def create_project(
    request: Request, settings: SettingsDep, developer: CanManagePlatform, _: IdempotencyKey = None
) -> Response:
    """With test keys; a saas one begins with the tier `free`, 1,000 calls a month."""
    body, raw = await read_json_body(request, NewProject)
    instance_key = secrets.instance_key(settings)

    async def effect(tx: Tx) -> CreatedProject:
        made = await catalog.create_project_with_defaults(
            tx, developer.platform, body.name, body.project_type, platforms.MODES
        )
        if body.origins:
            made = await platforms.change_origins(tx, made, add=body.origins)
        if body.refund_limit is not None:
            made = await platforms.change_project(tx, made, refund_limit=body.refund_limit.limit)
        live_keys: dict[str, str | None] = {"livePublishableKey": None, "liveSecretKey": None}
        for mode in platforms.MODES if body.live else platforms.MODES[:1]:
            publishable, secret = await keys.issue_pair(
                tx, made, mode, instance_key=instance_key, created_by=developer.caller
            )
            names = ("publishableKey", "secretKey") if mode == "test" else ("livePublishableKey", "liveSecretKey")
            live_keys |= dict(zip(names, (publishable.token, secret.token), strict=True))
        await _record(request, tx, developer, "project.created", made, name=made.name, type=made.type)
        return CreatedProject.model_validate({**(await _read(tx, made)).model_dump(by_alias=True), **live_keys})

    return await idempotent_response(
        request,
        platform_id=developer.platform.id,
        caller=developer.caller,
        status=201,
        body=raw,
        effect=effect,
        secrets=("secretKey", "liveSecretKey"),
    )


@router.get(
    "/{id}",
    summary="Read a project",
    response_model=ShownProject,
    responses={**example_response(200, PROJECT_EXAMPLE), **error_responses(*PLATFORM_AUTH_ERRORS, errors.NotFound)},
)
async def read_project(db: Db, developer: PlatformMember, project_id: Id) -> Response:
    async with db.read() as tx:
        return json_response(await _read(tx, await _find(tx, developer, project_id)))


@router.patch(
    "/{id}",
    summary="Change a project",
    response_model=ShownProject,
    responses={
        **example_response(200, PROJECT_EXAMPLE),
        **error_responses(*PLATFORM_AUTH_ERRORS, *BODY_ERRORS, errors.NotFound),
    },
    openapi_extra=request_body(ProjectUpdate, {"name": "Our API", "refundLimit": {"amount": 5000, "currency": "usd"}}),
)
async def update_project(request: Request, db: Db, developer: CanManagePlatform, project_id: Id) -> Response:
    """Its name, websites and refund limit; its type is for ever."""
    body, _ = await read_json_body(request, ProjectUpdate)
    sent = body.model_fields_set
    async with db.write() as tx:
        project = await _find(tx, developer, project_id)
        await platforms.lock_project(tx, project.platform_id, project.id)
        limit = body.refund_limit
        changed = await platforms.change_project(
            tx,
            project,
            name=body.name if "name" in sent else None,
            refund_limit=None if limit is None else limit.limit,
            no_limit="refund_limit" in sent and limit is None,
        )
        if "origins" in sent:
            changed = await _put_origins(tx, changed, body.origins)
            await _record(request, tx, developer, "origins.changed", changed, origins=" ".join(changed.origins))
        if sent - {"origins"}:
            await _record(request, tx, developer, "project.changed", changed, fields=" ".join(sorted(sent)))
        return json_response(await _read(tx, changed))


async def _put_origins(tx: Tx, project: Project, wanted: list[str]) -> Project:
    """These and no others."""
    try:
        proper = {platforms.normalize_origin(text, "origins"): None for text in wanted}
        gone = [origin for origin in project.origins if origin not in proper]
        come = [origin for origin in proper if origin not in project.origins]
        return await platforms.change_origins(tx, project, add=come, remove=gone)
    except ValidationFailed as error:
        error.param = "origins"
        raise


@router.delete(
    "/{id}",
    summary="Delete a project",
    response_model=Done,
    responses={
        **example_response(200, {"deleted": True}),
        **error_responses(*PLATFORM_AUTH_ERRORS, errors.NotFound, retention.LivePaymentsExist, OperatorProjectRequired),
    },
)
async def delete_project(request: Request, db: Db, developer: CanManagePlatform, project_id: Id) -> Response:
    """Its keys open nothing from now on, and what is in it goes; where real money moved it is refused."""
    async with db.write() as tx:
        project = await _find(tx, developer, project_id)
        await retention.delete_project(tx, project)
        await _record(request, tx, developer, "project.deleted", project, name=project.name)
    return json_response(Done())


async def _find(tx: Tx, developer: PlatformPrincipal, project_id: str) -> Project:
    project = await platforms.load_project(tx, project_id)
    if project is None or project.platform_id != developer.platform.id:
        raise errors.NotFound("There is no such project.", param="id")
    return project


async def _read(tx: Tx, project: Project) -> ShownProject:
    row = await platforms.project_row(tx, project.platform_id, project.id)
    assert row is not None
    return project_response(row)


async def _record(
    request: Request, tx: Tx, developer: PlatformPrincipal, action: str, project: Project, **details: Any
) -> None:
    by = developer.actor(client_address(request.scope))
    await audit.record(tx, project.platform_id, action, by=by, about=project.id, details=details)
