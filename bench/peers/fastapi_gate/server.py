"""An ordinary FastAPI application that counts by dream-api's gate."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header
from fastapi.responses import Response

from dream_api import app as instance
from dream_api.auth.authenticator import Authenticator
from dream_api.core.cache import Changes
from dream_api.core.errors import Refusal
from dream_api.core.settings import Settings
from dream_api.metering import MeteringEngine, body_of, metered, refusal_of

settings = Settings()
database = instance.open_database(settings)
changes = Changes(database)
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
        key = await authenticator.server(authorization)
        terms = await engine.terms_of(key, x_user_plan)
        outcome = await engine.count(metered(key, terms, user_id=x_user_id, plan=x_user_plan))
        if not outcome.is_allowed:
            raise refusal_of(outcome)
    except Refusal as refusal:
        return Response(refusal.code, refusal.status)
    return Response(body_of(outcome), media_type="application/json")


@app.get("/ready")
async def ready() -> None:
    pass


if __name__ == "__main__":
    uvicorn.run(
        app, port=settings.port, loop="uvloop", http="httptools", access_log=False, log_level="warning", backlog=4096
    )
