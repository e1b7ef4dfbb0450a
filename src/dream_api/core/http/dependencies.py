"""FastAPI dependencies of core. The application's state is read here only."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from dream_api.core.cache import CacheInvalidator
from dream_api.core.db import Database
from dream_api.core.objects import ObjectStore
from dream_api.core.settings import Settings


def state_of(request: Request, name: str) -> Any:
    """What `app.py` stores in the application's state under this name."""
    return getattr(request.app.state, name)


def from_state(name: str) -> Callable[[Request], Awaitable[Any]]:
    """A dependency: what `app.py` keeps in the application under this name."""

    async def find(request: Request) -> Any:  # awaited in place: plain functions would go through a thread
        return state_of(request, name)

    return find


Db = Annotated[Database, Depends(from_state("database"))]
SettingsDep = Annotated[Settings, Depends(from_state("settings"))]
ObjectsDep = Annotated[ObjectStore, Depends(from_state("objects"))]
ChangesDep = Annotated[CacheInvalidator, Depends(from_state("changes"))]


def database_of(request: Request) -> Database:
    return state_of(request, "database")


def settings_of(request: Request) -> Settings:
    return state_of(request, "settings")
