"""`GET /get-credentials` and `POST /rotate-key`: a platform's keys, for its developers."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import audit, keys, platforms
from dream_api.auth.dependencies import CanManageTestKeys, IdempotencyKey, PlatformMember
from dream_api.auth.rate_limit import client_address
from dream_api.auth.tenant_resolution import PLATFORM_AUTH_ERRORS, PROJECT_AUTH_ERRORS, PersonalTokenRequired
from dream_api.core import clock, errors, secrets
from dream_api.core.db import Row, Tx
from dream_api.core.http import (
    RequestModel,
    error_responses,
    idempotent_response,
    json_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch
from dream_api.core.secrets import InstanceKey
from dream_api.keys.issuance import NoKeyToRotate
from dream_api.platforms import Mode, Project, ProjectType

router = APIRouter(tags=["Keys"])

_MOST_PROJECTS = 100
_DAY_SECONDS = 86_400


class ResponseModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Credentials(ResponseModel):
    """The newest keys of a project and mode that work; null where there is none."""

    publishable_key: str | None
    secret_key: str | None = Field(
        description="Of test mode, to owners and admins; live ones are returned once, when created."
    )
    secret_key_prefix: str | None = Field(description="What may be shown of it.")


class ProjectCredentials(ResponseModel):
    """The keys of a project."""

    project_id: str
    name: str
    project_type: ProjectType
    test: Credentials
    live: Credentials


class CredentialsList(ResponseModel):
    """Oldest project first."""

    data: list[ProjectCredentials]


class Rotation(RequestModel):
    """Which key to replace, and how long the older ones still work."""

    mode: Mode
    grace_seconds: int = Field(
        _DAY_SECONDS, ge=0, le=7 * _DAY_SECONDS, description="0 to 7 days; a day where left out."
    )


class Rotated(ResponseModel):
    """The new key, in force at once."""

    project_id: str
    mode: Mode
    key_id: str
    secret_key: str | None = Field(description="null in a replay.")
    old_keys_end_at: str


_KEYS_OF: dict[str, Any] = {
    "projectId": "prj_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "name": "My API",
    "projectType": "saas",
    "test": {
        "publishableKey": "pk_test_…",
        "secretKey": "sk_test_…",
        "secretKeyPrefix": "sk_test_4f9c…a71e",
    },
    "live": {"publishableKey": "pk_live_…", "secretKey": None, "secretKeyPrefix": "sk_live_9b2d…03fe"},
}
_ROTATED = {
    "projectId": "prj_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "mode": "test",
    "keyId": "key_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "secretKey": "sk_test_…",
    "oldKeysEndAt": "2026-11-22T09:14:00Z",
}


@router.get(
    "/get-credentials",
    summary="Read the keys",
    response_model=CredentialsList,
    responses={
        200: {"content": {"application/json": {"example": {"data": [_KEYS_OF]}}}},
        **error_responses(*PLATFORM_AUTH_ERRORS),
    },
)
async def get_credentials(
    request: Request,
    db: Db,
    settings: SettingsDep,
    developer: PlatformMember,
    project_id: Annotated[str | None, Query(alias="projectId", max_length=64, description="Of this one only.")] = None,
) -> Response:
    """Of each project and mode. That test keys were read is written into the security log."""
    instance_key = secrets.instance_key(settings)
    may_reveal = developer.may("manage")
    async with db.write() as tx:
        found = await platforms.projects_of(tx, developer.platform.id, limit=_MOST_PROJECTS)
        wanted = [project for project in found if project_id in (None, project.id)]
        if project_id is not None and not wanted:
            raise errors.NotFound("There is no such project.", param="projectId")
        credentials = [await _credentials_of(tx, project, instance_key if may_reveal else None) for project in wanted]
        if any(each.test.secret_key for each in credentials):
            by = developer.actor(client_address(request.scope))
            about = project_id or developer.platform.id
            await audit.record(tx, developer.platform.id, "key.revealed", by=by, about=about)
    answer = json_response(CredentialsList(data=credentials))
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _credentials_of(tx: Tx, project: Project, instance_key: InstanceKey | None) -> ProjectCredentials:
    """With the test secret key where it may be revealed."""
    rows = await keys.of_project(tx, project.platform_id, project.id)
    test, live = (_of_mode(rows, mode, instance_key) for mode in platforms.MODES)
    return ProjectCredentials(project_id=project.id, name=project.name, project_type=project.type, test=test, live=live)


def _of_mode(rows: Sequence[Row[Any]], mode: Mode, instance_key: InstanceKey | None) -> Credentials:
    now = clock.now()
    working = [
        row
        for row in rows
        if row.mode == mode and row.revoked_at is None and (row.expires_at is None or row.expires_at > now)
    ]
    publishable = next((row for row in reversed(working) if row.kind == "publishable"), None)
    secret = next((row for row in reversed(working) if row.kind == "secret"), None)
    return Credentials(
        publishable_key=None if publishable is None else publishable.shown,
        secret_key=None
        if secret is None or mode == "live" or instance_key is None
        else keys.reveal_if_decryptable(secret, instance_key),
        secret_key_prefix=None if secret is None else secret.shown,
    )


@router.post(
    "/rotate-key",
    summary="Rotate a secret key",
    response_model=Rotated,
    responses={
        200: {"content": {"application/json": {"example": _ROTATED}}},
        **error_responses(
            *PROJECT_AUTH_ERRORS,
            PersonalTokenRequired,
            errors.MalformedJson,
            errors.BodyTooDeep,
            errors.TooLarge,
            errors.UnsupportedMedia,
            IdempotencyInProgress,
            IdempotencyMismatch,
            NoKeyToRotate,
        ),
    },
    openapi_extra=request_body(Rotation, {"mode": "test", "graceSeconds": 3600}),
)
async def rotate_key(
    request: Request, settings: SettingsDep, acting: CanManageTestKeys, _: IdempotencyKey = None
) -> Response:
    """A new secret key at once; the older ones work until the grace is over. Live keys take an owner or admin."""
    body, raw = await read_json_body(request, Rotation)
    if body.mode == "live":
        assert acting.role is not None
        platforms.require_permission(acting.role, "manage")
    instance_key = secrets.instance_key(settings)
    by = acting.actor(client_address(request.scope))

    async def effect(tx: Tx) -> Rotated:
        grace = body.grace_seconds * clock.SECOND
        issued = await keys.rotate(
            tx, acting.project, body.mode, instance_key=instance_key, created_by=acting.caller, grace=grace
        )
        details = {"mode": body.mode, "graceSeconds": str(body.grace_seconds), "project": acting.project_id}
        await audit.record(tx, acting.platform_id, "key.rotated", by=by, about=issued.id, details=details)
        return Rotated(
            project_id=acting.project_id,
            mode=body.mode,
            key_id=issued.id,
            secret_key=issued.token,
            old_keys_end_at=clock.rfc3339(clock.now() + grace),
        )

    return await idempotent_response(
        request,
        platform_id=acting.platform_id,
        caller=acting.caller,
        status=200,
        body=raw,
        effect=effect,
        secrets=("secretKey",),
    )
