"""Operations with doors of every kind, for tests of who may come in."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from dream_api.auth.cors import open_to_browsers
from dream_api.auth.dependencies import Managing, OnPlatform, Owning, Publishable, Refunding, Selling, Viewing
from dream_api.auth.principals import Acting, Developer
from tests.support.instance import House

router = APIRouter(prefix="/doors")


def add_doors(house: House) -> None:
    house.app._app.include_router(router)  # type: ignore[attr-defined]


@router.post("/viewing")
async def viewing(acting: Viewing) -> Response:
    return _work(acting)


@router.post("/selling")
async def selling(acting: Selling) -> Response:
    return _work(acting)


@router.post("/refunding")
async def refunding(acting: Refunding) -> Response:
    return _work(acting)


@router.post("/on-platform")
async def on_platform(developer: OnPlatform) -> Response:
    return _platform(developer)


@router.post("/managing")
async def managing(developer: Managing) -> Response:
    return _platform(developer)


@router.post("/owning")
async def owning(developer: Owning) -> Response:
    return _platform(developer)


@router.post("/publishable")
async def publishable(acting: Publishable) -> Response:
    return _work(acting)


open_to_browsers(router, "/publishable", "POST")


def _work(acting: Acting) -> Response:
    return JSONResponse(
        {"project": acting.project_id, "mode": acting.mode, "role": acting.role, "caller": acting.caller}
    )


def _platform(developer: Developer) -> Response:
    return JSONResponse({"platform": developer.platform.id, "role": developer.role, "caller": developer.caller})
