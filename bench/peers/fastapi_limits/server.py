"""What one would write with FastAPI and `limits`: so many calls a user and month, counted in Valkey."""

import os
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header
from fastapi.responses import JSONResponse
from limits import RateLimitItem, RateLimitItemPerMonth
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import Redis

PROJECTS = {"Bearer sk_test_bench": "prj_bench"}
PLANS = {"bench": RateLimitItemPerMonth(10**12), "small": RateLimitItemPerMonth(200)}

# Of the other clients that `limits` offers, valkey-py was no quicker, and coredis 6 would not work with it.
storage = RedisStorage(f"async+{os.environ['VALKEY_URL']}", implementation="redispy")
limiter = FixedWindowRateLimiter(storage)
app = FastAPI()

Text = Annotated[str, Header()]


# Answers are JSONResponses because returning models or dicts was no quicker.
@app.post("/api/data")
async def count(authorization: Text, x_user_id: Text, x_user_plan: Text) -> JSONResponse:
    """Equal work: the key, the count, and how much is left."""
    project, plan = PROJECTS.get(authorization), PLANS.get(x_user_plan)
    if project is None or plan is None:
        return JSONResponse({"allowed": False}, 401)
    is_allowed = await limiter.hit(plan, project, x_user_id)
    left = (await limiter.get_window_stats(plan, project, x_user_id)).remaining
    return _answer(is_allowed, plan, left)


@app.post("/hit")
async def hit(authorization: Text, x_user_id: Text, x_user_plan: Text) -> JSONResponse:
    """Less work: the key, and yes or no."""
    project, plan = PROJECTS.get(authorization), PLANS.get(x_user_plan)
    if project is None or plan is None:
        return JSONResponse({"allowed": False}, 401)
    is_allowed = await limiter.hit(plan, project, x_user_id)
    return JSONResponse({"allowed": is_allowed}, 200 if is_allowed else 429)


def _answer(is_allowed: bool, plan: RateLimitItem, left: int) -> JSONResponse:
    usage = {"count": plan.amount - left, "limit": plan.amount, "remaining": left}
    return JSONResponse({"allowed": is_allowed, "usage": usage}, 200 if is_allowed else 429)


@app.get("/stored")
async def stored() -> int:
    """The sum of all counters, past the library."""
    async with Redis.from_url(os.environ["VALKEY_URL"]) as valkey:
        keys = [key async for key in valkey.scan_iter("LIMITS*", count=1000)]
        return sum(int(value) for value in await valkey.mget(keys)) if keys else 0


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        backlog=4096,
    )
