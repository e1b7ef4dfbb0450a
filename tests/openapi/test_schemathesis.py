"""Thousands of odd requests, made from the OpenAPI document: no bug, no answer that is not documented."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dream_api import app
from dream_api.core.settings import Settings
from tests.support.house import Account, open_account
from tests.support.server import Server
from tests.tenants.operations import every_operation

EXAMPLES = 40
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def web(database_settings: Settings) -> Iterator[Any]:
    account = asyncio.run(_account(database_settings))
    with Server(database_settings, gate_queue=10_000) as server:
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        named = {"X-Platform-Id": account.project.platform_id, "X-Project-Id": account.project.id, "X-Mode": "test"}
        asked = dict(zip(("platformId", "projectId", "query.mode"), named.values(), strict=True))
        schema.config.update(headers=account.sk, parameters=named | asked)
        yield schema


async def _account(config: Settings) -> Account:
    database = app.open_database(config)
    try:
        await app.prepare(database)
        return await open_account(database, "Odd")
    finally:
        await database.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_odd_request_is_answered_as_documented(web: Any, mode: GenerationMode):
    operations = [found.ok() for found in web.get_all_operations()]
    assert {one.label for one in operations} == {str(one) for one in every_operation()}
    for operation in operations:
        _try(operation, mode)


def _try(operation: Any, mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def attempt(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):  # an operation with no input has no wrong one
        attempt()
