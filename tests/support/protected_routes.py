"""Routes with every kind of authentication, for tests of who may call."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from dream_api.auth.cors import add_preflight_route
from dream_api.auth.dependencies import (
    CanManageBilling,
    CanManagePlatform,
    CanRefund,
    CanSell,
    CanView,
    PlatformMember,
    PublishableKeyAuth,
)
from dream_api.auth.principals import PlatformPrincipal, ProjectPrincipal
from tests.support.instance import Instance

router = APIRouter(prefix="/doors")


def add_doors(instance: Instance) -> None:
    instance.app._app.include_router(router)  # type: ignore[attr-defined]


@router.post("/viewing")
async def viewing(acting: CanView) -> Response:
    return _work(acting)


@router.post("/selling")
async def selling(acting: CanSell) -> Response:
    return _work(acting)


@router.post("/refunding")
async def refunding(acting: CanRefund) -> Response:
    return _work(acting)


@router.post("/on-platform")
async def on_platform(developer: PlatformMember) -> Response:
    return _platform(developer)


@router.post("/managing")
async def managing(developer: CanManagePlatform) -> Response:
    return _platform(developer)


@router.post("/owning")
async def owning(developer: CanManageBilling) -> Response:
    return _platform(developer)


@router.post("/publishable")
async def publishable(acting: PublishableKeyAuth) -> Response:
    return _work(acting)


add_preflight_route(router, "/publishable", "POST")


def _work(acting: ProjectPrincipal) -> Response:
    return JSONResponse(
        {"project": acting.project_id, "mode": acting.mode, "role": acting.role, "caller": acting.caller}
    )


def _platform(developer: PlatformPrincipal) -> Response:
    return JSONResponse({"platform": developer.platform.id, "role": developer.role, "caller": developer.caller})
