"""`GET /get-credentials` and `POST /rotate-key`: the API keys of a platform's projects, for its developers."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import Field

from dream_api import audit, keys, platforms
from dream_api.api.endpoint import Endpoints, Post
from dream_api.api.enums import Mode, ProjectType
from dream_api.api.models import ResponseModel, Timestamp, example
from dream_api.auth.dependencies import CanManageTestKeys, PlatformMember
from dream_api.auth.rate_limit import client_address
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.core import clock, errors
from dream_api.core.db import Row, Tx
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db
from dream_api.core.secrets import InstanceKey
from dream_api.keys.issuance import NoKeyToRotate
from dream_api.platforms import Project

endpoints = Endpoints("Keys")

_MOST_PROJECTS = 100
_DAY_SECONDS = 86_400


class Credentials(ResponseModel):
    """The newest working API keys of a project and mode. null: there is none."""

    publishable_key: str | None
    secret_key: str | None = Field(
        description=(
            "The secret key of test mode, for owners and admins. Live secret keys are shown only once, when they are "
            "created."
        )
    )
    secret_key_prefix: str | None = Field(description="The visible part of the secret key.")


class ProjectCredentials(
    ResponseModel,
    json_schema_extra=example(
        {
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
    ),
):
    """The API keys of a project."""

    project_id: str
    name: str
    project_type: ProjectType
    test: Credentials
    live: Credentials


class CredentialsList(ResponseModel):
    """Oldest project first."""

    data: list[ProjectCredentials]


class KeyRotate(RequestModel, json_schema_extra=example({"mode": "test", "graceSeconds": 3600})):
    """The secret key to replace, and how long the old keys keep working."""

    mode: Mode
    grace_seconds: int = Field(
        _DAY_SECONDS, ge=0, le=7 * _DAY_SECONDS, description="From 0 to 7 days. One day by default."
    )


class RotatedKey(
    ResponseModel,
    json_schema_extra=example(
        {
            "projectId": "prj_01k9q3v8zd0g2m4n6p8r0t2v4w",
            "mode": "test",
            "keyId": "key_01k9q3v8zd0g2m4n6p8r0t2v4w",
            "secretKey": "sk_test_…",
            "oldKeysEndAt": "2026-11-22T09:14:00Z",
        }
    ),
):
    """The new secret key, which works immediately."""

    project_id: str
    mode: Mode
    key_id: str
    secret_key: str | None = Field(description="null in replayed responses.")
    old_keys_end_at: Timestamp


@endpoints.get("/get-credentials", "credentials.get", "Get the API keys")
async def get_credentials(
    request: Request,
    db: Db,
    instance_key: InstanceKeyDep,
    developer: PlatformMember,
    project_id: Annotated[str | None, Query(alias="projectId", max_length=64, description="Only this project.")] = None,
) -> ModelResponse[CredentialsList]:
    """The API keys of each project and mode. The security log records when test secret keys are shown."""
    may_reveal = developer.may("manage")
    async with db.write() as tx:
        found = await platforms.projects_of(tx, developer.platform_no, limit=_MOST_PROJECTS)
        wanted = [project for project in found if project_id in (None, project.id)]
        if project_id is not None and not wanted:
            raise errors.NotFound("Project not found.", param="projectId")
        credentials = [await _credentials_of(tx, project, instance_key if may_reveal else None) for project in wanted]
        if any(each.test.secret_key for each in credentials):
            by = developer.actor(client_address(request.scope))
            await audit.record(
                tx, developer.log_stream, "key.revealed", by=by, about=project_id or developer.platform_id
            )
    return json_response(CredentialsList(data=credentials))


async def _credentials_of(tx: Tx, project: Project, instance_key: InstanceKey | None) -> ProjectCredentials:
    """With the test secret key where it may be shown."""
    rows = await keys.of_project(tx, project.platform_no, project.id)
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


@endpoints.post("/rotate-key", "keys.rotate", "Rotate a secret key", errors=(NoKeyToRotate,))
async def rotate_key(
    instance_key: InstanceKeyDep, acting: CanManageTestKeys, post: Post[KeyRotate]
) -> ModelResponse[RotatedKey]:
    """Creates a new secret key. Old keys work until the grace period ends. Only owners and admins can rotate live
    keys."""
    body = post.body
    if body.mode == "live":
        assert acting.role is not None
        platforms.require_permission(acting.role, "manage")
    by = acting.actor(client_address(post.request.scope))

    async def effect(tx: Tx) -> RotatedKey:
        grace = body.grace_seconds * clock.SECOND
        issued = await keys.rotate(
            tx, acting.project, body.mode, instance_key=instance_key, created_by=acting.caller, grace=grace
        )
        details = {"mode": body.mode, "graceSeconds": str(body.grace_seconds), "project": acting.project_id}
        await audit.record(tx, acting.log_stream, "key.rotated", by=by, about=issued.id, details=details)
        return RotatedKey.model_validate(
            {
                "project_id": acting.project_id,
                "mode": body.mode,
                "key_id": issued.id,
                "secret_key": issued.token,
                "old_keys_end_at": clock.now() + grace,
            }
        )

    return await post.commit(acting, effect, secrets=("secretKey",))
