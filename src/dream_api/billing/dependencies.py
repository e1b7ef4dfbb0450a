"""FastAPI dependencies: the billing context and the instance key."""

from typing import Annotated

from fastapi import Depends

from dream_api.billing.context import BillingContext
from dream_api.core.http.dependencies import from_state
from dream_api.core.secrets import InstanceKey

BillingDep = Annotated[BillingContext, Depends(from_state("billing"))]


async def _instance_key(billing: BillingDep) -> InstanceKey:
    return billing.instance_key


InstanceKeyDep = Annotated[InstanceKey, Depends(_instance_key)]
