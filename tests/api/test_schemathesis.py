"""Thousands of odd requests, made from the OpenAPI document: no bug, no answer that is not documented."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable
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
from dream_api.platforms import Project
from tests.isolation.operations import every_operation
from tests.support.databases import KINDS, fresh_postgres
from tests.support.instance import Account, bootstrap_with_key, open_account
from tests.support.server import Server

# Of each operation and mode: in the default tier, and in the one of long repetitions. `make soak` tries many more, and
# others each time.
FEW, MANY = 4, 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True, slots=True)
class Web:
    """A server with a project in it, and its OpenAPI document."""

    url: str
    account: Account
    schema: Any


@pytest.fixture
def web(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Web]:
    with fresh(database_kind, tmp_path, request) as config, serving(config) as web:
        yield web


@pytest.fixture
def webs(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[list[Web]]:
    """One on each database: to generate a request takes ten times as long as to answer it."""
    only = request.config.getoption("--only-database")
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(serving(stack.enter_context(fresh(kind, tmp_path, request))))
            for kind in KINDS
            if only in (None, kind)
        ]


@contextlib.contextmanager
def fresh(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    data = folder / kind
    data.mkdir()
    if kind == "sqlite":
        yield Settings(data=data, open_rate=0)
        return
    with fresh_postgres(request.getfixturevalue("postgres_url"), "template1") as url:
        yield Settings(data=data, database_url=url, open_rate=0)


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[Web]:
    account = asyncio.run(_account(settings))
    with Server(settings, metering_queue=10_000) as server:
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        schema.config.update(headers=account.sk)
        yield Web(server.url, account, schema)


async def _account(config: Settings) -> Account:
    database = app.open_database(config)
    try:
        await bootstrap_with_key(database, config)
        return await open_account(database, "Odd")
    finally:
        await database.close()


every_mode = pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)


@pytest.mark.slow
@every_mode
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_odd_request_is_answered_as_documented(web: Web, mode: GenerationMode) -> None:
    operations = web.schema.get_all_operations()
    assert {one.ok().label for one in operations} == {str(one) for one in every_operation()}
    hold_to_the_document([web], mode, FEW)


@pytest.mark.slow
@pytest.mark.rest
@every_mode
def test_many_odd_requests_are_answered_as_documented_on_each_database(webs: list[Web], mode: GenerationMode) -> None:
    hold_to_the_document(webs, mode, MANY)


def hold_to_the_document(webs: Sequence[Web], mode: GenerationMode, examples: int, *, the_same: bool = True) -> None:
    """Each asks the same; `the_same`: the requests of every other time."""
    for found in webs[0].schema.get_all_operations():
        _try(found.ok(), mode, webs, examples, the_same)


def _try(operation: Any, mode: GenerationMode, webs: Sequence[Web], examples: int, the_same: bool) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=the_same,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def attempt(case: schemathesis.Case) -> None:
        for web in webs:
            if mode is GenerationMode.POSITIVE:
                _bring_home(case, web.account.project)
            case.call_and_validate(base_url=web.url, headers=web.account.sk, checks=CHECKS)

    # An operation with no input has no wrong one. What remembers its own draws may draw otherwise when asked again;
    # where the requests are the same every time, that would be a mistake here.
    with contextlib.suppress(Unsatisfiable, *(() if the_same else (FlakyStrategyDefinition,))):
        attempt()


def _bring_home(case: schemathesis.Case, project: Project) -> None:
    """Where the request names a platform, project or mode, they are the key's own: all others are told apart early."""
    own = {"platform": project.platform_id, "project": project.id, "mode": "test"}
    for sent in filter(None, (case.headers, case.query)):
        for name in list(sent):
            word = name.lower().removeprefix("x-").removesuffix("id").rstrip("-")
            if word in own:
                sent[name] = own[word]
