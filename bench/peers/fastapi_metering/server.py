"""An ordinary FastAPI application that counts with dream-api's metering engine."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header
from fastapi.responses import Response

from dream_api import app as instance
from dream_api.auth.authenticator import Authenticator
from dream_api.core.cache import CacheInvalidator
from dream_api.core.errors import AppError
from dream_api.core.settings import Settings
from dream_api.metering import MeteringEngine, build_call, limit_error, response_body

settings = Settings()
database = instance.open_database(settings)
changes = CacheInvalidator(database)
authenticator = Authenticator(database, changes)
engine = MeteringEngine(database, changes, home_mode=settings.home_mode, queue_size=settings.metering_queue)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
    await engine.start()
    await changes.start()
    yield
    await engine.stop()
    await changes.stop()
    await database.close()


app = FastAPI(lifespan=lifespan)


@app.post("/api/data")
async def count(
    authorization: Annotated[str, Header()],
    x_user_id: Annotated[str, Header()],
    x_user_plan: Annotated[str | None, Header()] = None,
) -> Response:
    try:
        key = await authenticator.authenticate_secret_key(authorization)
        terms = await engine.get_terms(key, x_user_plan)
        outcome = await engine.count(build_call(key, terms, user_id=x_user_id, plan=x_user_plan))
        if not outcome.is_allowed:
            raise limit_error(outcome)
    except AppError as error:
        return Response(error.code, error.status)
    return Response(response_body(outcome), media_type="application/json")


@app.get("/ready")
async def ready() -> None:
    pass


if __name__ == "__main__":
    uvicorn.run(
        app, port=settings.port, loop="uvloop", http="httptools", access_log=False, log_level="warning", backlog=4096
    )
