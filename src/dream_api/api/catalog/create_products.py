"""`POST /create-products`: create a project with its tiers in one call."""

from pydantic import Field

from dream_api import catalog, keys, platforms, store
from dream_api.api.catalog.models import Tier, to_tier
from dream_api.api.endpoint import Endpoints, Post
from dream_api.api.enums import ProjectType
from dream_api.api.models import ResponseModel, example, example_of
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanManagePlatform
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.catalog import TierCreate, to_draft
from dream_api.core.db import Tx
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http import ModelResponse, RequestModel
from dream_api.platforms import Mode, Project, ProjectScope

endpoints = Endpoints("Catalog")

_MODE: Mode = "test"
_MOST = 100
_EXAMPLE = {"name": "My API", "projectType": "saas"}


class ProjectWithProductsCreate(
    RequestModel, json_schema_extra=example({**_EXAMPLE, "products": [example_of(TierCreate)]})
):
    """A project to create, with its products in test mode."""

    name: str = Field(max_length=120, description="The name that people see.")
    project_type: ProjectType = Field(
        description="saas sells subscriptions, and store sells products. It cannot be changed."
    )
    products: list[TierCreate] = Field([], max_length=_MOST)


class ProjectWithProducts(
    ResponseModel,
    json_schema_extra=example(
        {
            "projectId": "prj_01k9q3v8zd0g2m4n6p8r0t2v4w",
            **_EXAMPLE,
            "publishableKey": "pk_test_…",
            "secretKey": "sk_test_…",
            "products": [example_of(Tier)],
        }
    ),
):
    """A new project with its API keys of test mode."""

    project_id: str
    name: str
    project_type: ProjectType
    publishable_key: str
    secret_key: str | None = Field(description="null in replayed responses. GET /get-credentials shows it again.")
    products: list[Tier] = Field(description="Newest first. A new saas project has the tier free.")


@endpoints.post("/create-products", "products.create", "Create a project with products", status=201)
async def create_products(
    instance_key: InstanceKeyDep, developer: CanManagePlatform, post: Post[ProjectWithProductsCreate]
) -> ModelResponse[ProjectWithProducts]:
    """Creates the project, its products and its API keys for test mode in one transaction."""
    body = post.body

    async def effect(tx: Tx) -> ProjectWithProducts:
        project = await catalog.create_project_with_defaults(
            tx, developer.platform, body.name, body.project_type, platforms.MODES
        )
        await _create_tiers(tx, project, body.products)
        publishable, secret = await keys.issue_pair(
            tx, project, _MODE, instance_key=instance_key, created_by=developer.caller
        )
        details = {"keys": _MODE}
        await audit_request(tx, post.request, developer, "project.created", about=project.id, details=details)
        return ProjectWithProducts(
            project_id=project.id,
            name=project.name,
            project_type=project.type,
            publishable_key=publishable.token,
            secret_key=secret.token,
            products=await _list_tiers(tx, project),
        )

    return await post.commit(developer, effect, secrets=("secretKey",))


async def _create_tiers(tx: Tx, project: Project, wanted: list[TierCreate]) -> None:
    """The tiers, in their order; a saas project has the tier free already, which may be among them."""
    for place, one in enumerate(wanted):
        try:
            if any(one.name == other.name for other in wanted[:place]):
                raise ValidationFailed("Two products have the same name.", param="name")
            await _set_tier(tx, project, one)
        except AppError as error:
            error.param = f"products.{place}.{error.param}"
            raise


async def _set_tier(tx: Tx, project: Project, wanted: TierCreate) -> None:
    offer = await catalog.lock_tier(tx, project, _MODE, wanted.name)
    draft = to_draft(project.type, wanted, offer)
    if offer is not None:
        await catalog.update_tier(tx, project, _MODE, offer, draft)
        return
    made = await catalog.create_tier(tx, project, _MODE, wanted.name, draft)
    await store.set_tier_inventory(tx, _scope(project), made.id, wanted)


async def _list_tiers(tx: Tx, project: Project) -> list[Tier]:
    offers = await catalog.list_tiers(tx, project.platform_no, project.id, _MODE)
    inventory = await store.get_inventory(tx, _scope(project), [offer.id for offer in offers])
    return [to_tier(offer, _MODE, inventory[offer.id]) for offer in offers]


def _scope(project: Project) -> ProjectScope:
    return ProjectScope(project.platform_no, project.id, _MODE)
