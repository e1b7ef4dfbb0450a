"""The metering engine, as endpoints ask for it."""

from typing import Annotated

from fastapi import Depends

from dream_api.core.http.dependencies import from_state
from dream_api.metering.engine import MeteringEngine

MeteringDep = Annotated[MeteringEngine, Depends(from_state("metering"))]
