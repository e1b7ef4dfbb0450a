"""The metering engine, as endpoints get it."""

from fastapi import Request

from dream_api.metering.engine import MeteringEngine


def engine_of(request: Request) -> MeteringEngine:
    return request.app.state.metering
