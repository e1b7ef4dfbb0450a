"""`/projects`: the projects of a platform."""

from typing import Annotated, Any

from fastapi import Request
from pydantic import Field

from dream_api import audit, catalog, keys, platforms, retention
from dream_api.api.endpoint import Endpoints, JsonBody, Post
from dream_api.api.enums import ProjectType
from dream_api.api.models import Page, PageRequest, example, page_of, path_id
from dream_api.api.platforms.models import PROJECT, Deleted, Project, RefundLimitUpdate
from dream_api.auth.dependencies import CanManagePlatform, PlatformMember
from dream_api.auth.principals import PlatformPrincipal
from dream_api.auth.rate_limit import client_address
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound, ValidationFailed
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db
from dream_api.platforms import OperatorProjectRequired

endpoints = Endpoints("Platforms", "/projects")

_MOST_ORIGINS = 100
_Origins = Annotated[list[str], Field(max_length=_MOST_ORIGINS)]
_Id = Annotated[str, path_id("prj")]


class ProjectCreate(
    RequestModel,
    json_schema_extra=example(
        {"name": "My API", "projectType": "saas", "origins": ["https://myapp.com"], "live": True}
    ),
):
    """A project to create."""

    name: str = Field(max_length=120, description="The name that people see.")
    project_type: ProjectType = Field(
        description="saas sells subscriptions, and store sells products. It cannot be changed."
    )
    origins: _Origins = Field([], description="Its websites, such as https://myapp.com or https://*.myapp.com.")
    refund_limit: RefundLimitUpdate | None = Field(None, description="null: members cannot refund.")
    live: bool = Field(False, description="Whether to create live keys as well.")


class ProjectUpdate(
    RequestModel,
    json_schema_extra=example({"name": "Our API", "refundLimit": {"amount": 5000, "currency": "usd"}}),
):
    """The fields to change. Other fields stay the same."""

    name: str = Field("", max_length=120)
    origins: _Origins = Field([], description="All of its websites.")
    refund_limit: RefundLimitUpdate | None = Field(None, description="null: members cannot refund.")


class ProjectWithKeys(
    Project,
    json_schema_extra=example(
        {
            **PROJECT,
            "publishableKey": "pk_test_…",
            "secretKey": "sk_test_…",
            "livePublishableKey": None,
            "liveSecretKey": None,
        }
    ),
):
    """A new project with its API keys. Secret keys are null in replayed responses."""

    publishable_key: str
    secret_key: str | None = Field(description="The secret key of test mode. Owners and admins can show it again.")
    live_publishable_key: str | None
    live_secret_key: str | None = Field(description="Shown only once.")


class ProjectList(Page[Project]):
    """Newest first."""


@endpoints.get("", "projects.list", "List projects")
async def list_projects(
    db: Db, developer: PlatformMember, page: Annotated[PageRequest, page_of("prj")]
) -> ModelResponse[ProjectList]:
    """Those of the platform, newest first."""
    async with db.read() as tx:
        found = await platforms.list_projects(tx, developer.platform_no, limit=page.fetch, after=page.after)
    return json_response(page.page(ProjectList, found))


@endpoints.post("", "projects.create", "Create a project", status=201)
async def create_project(
    instance_key: InstanceKeyDep, developer: CanManagePlatform, post: Post[ProjectCreate]
) -> ModelResponse[ProjectWithKeys]:
    """Creates API keys for test mode. A saas project starts with the plan `free` of 1,000 calls per month."""
    body = post.body

    async def effect(tx: Tx) -> ProjectWithKeys:
        made = await catalog.create_project_with_defaults(
            tx, developer.platform, body.name, body.project_type, platforms.MODES
        )
        if body.origins:
            made = await platforms.change_origins(tx, made, add=body.origins)
        if body.refund_limit is not None:
            made = await platforms.change_project(tx, made, refund_limit=body.refund_limit.limit)
        tokens: dict[str, str] = {}
        for mode in platforms.MODES if body.live else platforms.MODES[:1]:
            publishable, secret = await keys.issue_pair(
                tx, made, mode, instance_key=instance_key, created_by=developer.caller
            )
            tokens |= {f"{mode}_publishable": publishable.token, f"{mode}_secret": secret.token}
        await _audit(post.request, tx, developer, "project.created", made, name=made.name, type=made.type)
        return ProjectWithKeys(
            **Project.model_validate(made).model_dump(by_alias=False),
            publishable_key=tokens["test_publishable"],
            secret_key=tokens["test_secret"],
            live_publishable_key=tokens.get("live_publishable"),
            live_secret_key=tokens.get("live_secret"),
        )

    return await post.commit(developer, effect, secrets=("secretKey", "liveSecretKey"))


@endpoints.get("/{id}", "projects.get", "Get a project", errors=(NotFound,))
async def get_project(db: Db, developer: PlatformMember, project_id: _Id) -> ModelResponse[Project]:
    """A project of your platform, with its name, type, websites and refund limit."""
    async with db.read() as tx:
        return json_response(Project.model_validate(await _find(tx, developer, project_id)))


@endpoints.patch("/{id}", "projects.update", "Update a project", errors=(NotFound,))
async def update_project(
    request: Request, db: Db, developer: CanManagePlatform, project_id: _Id, body: JsonBody[ProjectUpdate]
) -> ModelResponse[Project]:
    """Changes its name, websites and refund limit. The type cannot be changed."""
    sent = body.model_fields_set
    async with db.write() as tx:
        project = await _find(tx, developer, project_id)
        await platforms.lock_project(tx, project.platform_no, project.id)
        limit = body.refund_limit
        changed = await platforms.change_project(
            tx,
            project,
            name=body.name if "name" in sent else None,
            refund_limit=None if limit is None else limit.limit,
            no_limit="refund_limit" in sent and limit is None,
        )
        if "origins" in sent:
            changed = await _set_origins(tx, changed, body.origins)
            await _audit(request, tx, developer, "origins.changed", changed, origins=" ".join(changed.origins))
        if sent - {"origins"}:
            await _audit(request, tx, developer, "project.changed", changed, fields=" ".join(sorted(sent)))
        return json_response(Project.model_validate(changed))


async def _set_origins(tx: Tx, project: platforms.Project, wanted: list[str]) -> platforms.Project:
    """These and no others."""
    try:
        proper = {platforms.normalize_origin(text, "origins"): None for text in wanted}
        gone = [origin for origin in project.origins if origin not in proper]
        come = [origin for origin in proper if origin not in project.origins]
        return await platforms.change_origins(tx, project, add=come, remove=gone)
    except ValidationFailed as error:
        error.param = "origins"
        raise


@endpoints.delete(
    "/{id}",
    "projects.delete",
    "Delete a project",
    errors=(NotFound, retention.LivePaymentsExist, OperatorProjectRequired),
)
async def delete_project(
    request: Request, db: Db, developer: CanManagePlatform, project_id: _Id
) -> ModelResponse[Deleted]:
    """Deletes all its data. Its API keys stop working immediately. A project with live payments cannot be deleted."""
    async with db.write() as tx:
        project = await _find(tx, developer, project_id)
        await retention.delete_project(tx, project)
        await _audit(request, tx, developer, "project.deleted", project, name=project.name)
    return json_response(Deleted())


async def _find(tx: Tx, developer: PlatformPrincipal, project_id: str) -> platforms.Project:
    project = await platforms.load_project(tx, project_id)
    if project is None or project.platform_no != developer.platform_no:
        raise NotFound("Project not found.", param="id")
    return project


async def _audit(
    request: Request, tx: Tx, developer: PlatformPrincipal, action: str, project: platforms.Project, **details: Any
) -> None:
    by = developer.actor(client_address(request.scope))
    await audit.record(tx, project.log_stream, action, by=by, about=project.id, details=details)
