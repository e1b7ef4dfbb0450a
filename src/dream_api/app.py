"""The composition root: builds the ASGI app, and registers events, jobs and integrity checks."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from itertools import chain

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Match

from dream_api import (
    __version__,
    api,
    assets,
    audit,
    billing,
    customers,
    dashboard,
    hosted,
    identity,
    keys,
    operations,
    platforms,
    schema,
    store,
    tenancy,
    usage,
)
from dream_api.accounts import jobs as accounts_jobs
from dream_api.api.openapi import customize_openapi
from dream_api.api.reference_page import add_reference_page
from dream_api.api.usage import MeteredCallEndpoint
from dream_api.audit import jobs as audit_jobs
from dream_api.auth import browser_sessions
from dream_api.auth.authenticator import Authenticator
from dream_api.auth.cors import CORSErrorMiddleware
from dream_api.auth.rate_limit import CallerRateLimiter, RateLimitMiddleware
from dream_api.billing import BillingContext
from dream_api.billing import jobs as billing_jobs
from dream_api.core import expiry, mail, objects, ratelimit, secrets
from dream_api.core.cache import CacheInvalidator
from dream_api.core.db import Database, Tx
from dream_api.core.errors import MalformedRequest, NotAllowed, NotFound
from dream_api.core.events import Events
from dream_api.core.html.renderer import ASSETS
from dream_api.core.http import (
    RequestContextMiddleware,
    RootApp,
    TrustedProxies,
    from_validation_errors,
    health,
)
from dream_api.core.integrity import IntegrityCheck, database_check
from dream_api.core.jobs import Registry, Worker
from dream_api.core.secrets import InstanceKey
from dream_api.core.settings import Settings
from dream_api.gateways import Gateway
from dream_api.gateways.contract import Kind
from dream_api.gateways.sandbox import Sandbox
from dream_api.identity import PasswordHasher, Provider
from dream_api.metering import MeteringEngine
from dream_api.migrations import migrate
from dream_api.retention import jobs as retention_jobs
from dream_api.tenancy import billing_events
from dream_api.usage import jobs as usage_jobs
from dream_api.webhooks import jobs as webhooks_jobs

ROUTERS = (*api.ROUTERS, *dashboard.ROUTERS, *hosted.ROUTERS, health.router)

_DESCRIPTION = """
API keys, metered limits and customers behind one API. Send `Authorization: Bearer sk_…` with every call;
all errors have the same fields, and `docs` links to an explanation. POST requests accept an `Idempotency-Key`.
"""


def open_database(settings: Settings) -> Database:
    """The database that the settings name, whether it exists or not."""
    assert schema.metadata is not None
    if settings.database_url is not None:
        return Database(url=settings.database_url)
    return Database(directory=settings.data)


async def bootstrap(database: Database, settings: Settings) -> bool:
    """Migrate to this release's schema, and create the instance where there is none; whether it was created."""
    await migrate(database)
    async with database.read() as tx:
        if await operations.is_created(tx):
            return False
    async with database.write() as tx:
        return await operations.create_instance(tx, settings)


async def find_instance_key(tx: Tx, settings: Settings) -> InstanceKey:
    """Proved to be this database's; raises InstanceKeyMissing, InstanceKeyWrong."""
    return await operations.find_instance_key(tx, settings)


async def verify_instance_key(database: Database, settings: Settings) -> None:
    """Raises InstanceKeyMissing, InstanceKeyWrong. Databases of earlier releases get the key's fingerprint."""
    async with database.read() as tx:
        await operations.find_instance_key(tx, settings)
        if await operations.stored_fingerprint(tx) is not None:
            return
    async with database.write() as tx:
        # Once more: another process may have been first, with another key.
        await operations.record_fingerprint(tx, await operations.find_instance_key(tx, settings))


def integrity_checks(settings: Settings | None = None) -> list[IntegrityCheck]:
    """Integrity checks for `doctor`; without the settings, those that need the instance key are left out."""
    key = None if settings is None else secrets.load_instance_key(settings)
    return [
        database_check(),
        *platforms.checks(),
        *keys.checks(),
        *usage.checks(),
        *customers.checks(),
        *billing.checks(),
        *store.checks(),
        *assets.checks(),
        *tenancy.checks(),
        *audit.checks(key),
        *operations.checks(key),
    ]


def default_gateways(settings: Settings, database: Database) -> Mapping[Kind, Gateway]:
    return {"sandbox": Sandbox(database, link_base=settings.link_base)}


def open_provider(settings: Settings) -> Provider | None:
    """The OpenID Connect provider by which developers may sign in; None where none is configured."""
    if settings.oidc_issuer is None:
        return None
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret is not None else ""
    return identity.open_provider(
        settings.oidc_issuer,
        settings.oidc_client_id or "",
        secret,
        settings.oidc_name,
        redirect_url=f"{settings.link_base}/account/oidc/callback",
    )


OpenGateways = Callable[[Settings, Database], Mapping[Kind, Gateway]]


def open_billing(
    settings: Settings, database: Database, open_gateways: OpenGateways = default_gateways
) -> BillingContext:
    """Billing of this process: gateways, and the handlers of billing events."""
    events = Events()
    for name, sentence in billing.EVENT_DESCRIPTIONS.items():
        events.declare(name, sentence)
    events.on(billing.CHECKOUT_COMPLETED, store.on_checkout_completed)
    events.on(billing.CHECKOUT_EXPIRED, store.on_checkout_expired)
    events.on(billing.REFUND_SUCCEEDED, store.on_refund)
    events.on(billing.REFUND_FAILED, store.on_refund)
    events.on(billing.PLAN_CHANGED, partial(billing_events.on_plan_changed, settings.home_mode))
    gateways = open_gateways(settings, database)
    return BillingContext(
        database, gateways, events, secrets.load_instance_key(settings), due_tasks=[*billing.DUE_TASKS]
    )


def build_job_registry(settings: Settings, billing_context: BillingContext) -> Registry:
    registry = Registry()
    rules = (
        *usage_jobs.EXPIRY_RULES,
        *webhooks_jobs.EXPIRY_RULES,
        *billing_jobs.EXPIRY_RULES,
        *retention_jobs.EXPIRY_RULES,
        *accounts_jobs.EXPIRY_RULES,
    )
    expiry.register(registry, *rules, *mail.EXPIRY_RULES)
    mail.register(registry, settings)
    accounts_jobs.register(registry, settings.link_base)
    platforms.register_sign_ins(registry)
    audit_jobs.register(registry, billing_context.instance_key)
    usage_jobs.register(registry)
    billing_jobs.register(registry, billing_context)
    webhooks_jobs.register(registry)
    store = objects.open_object_store(settings)
    retention_jobs.register(registry, billing_context, store, settings.home_mode)
    return registry


def create_app(settings: Settings, open_gateways: OpenGateways = default_gateways) -> RootApp:
    """The ASGI application of one process."""
    app = FastAPIOffline(
        title="dream-api",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    database = open_database(settings)
    changes = CacheInvalidator(database)
    authenticator = Authenticator(database, changes)
    engine = MeteringEngine(database, changes, home_mode=settings.home_mode, queue_size=settings.metering_queue)
    shared_rates = ratelimit.open_rate_limiter(settings.valkey_url, processes=settings.processes)
    rate_limiter = CallerRateLimiter(authenticator, shared_rates, open_rate=settings.open_rate)
    metering = MeteredCallEndpoint(
        authenticator,
        engine,
        rate_limiter,
        proxies=TrustedProxies(settings.trusted_proxies),
        body_limit=settings.body_limit,
        link_base=settings.link_base,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.changes = changes
    app.state.authenticator = authenticator
    app.state.metering = engine
    app.state.metered_call = metering
    app.state.billing = open_billing(settings, database, open_gateways)
    app.state.rates = shared_rates
    app.state.passwords = PasswordHasher()
    app.state.provider = open_provider(settings)
    app.state.objects = objects.open_object_store(settings)
    app.state.is_stopping = False
    # The routes themselves, which are built once; included, each application would build its own.
    app.router.routes.extend(route for router in ROUTERS for route in router.routes)
    customize_openapi(app, url=settings.link_base)
    add_reference_page(app)
    app.add_exception_handler(HTTPException, _raise_app_error)
    app.add_exception_handler(RequestValidationError, _raise_app_error)
    app.add_middleware(
        RateLimitMiddleware,
        limiter=rate_limiter,
        exempt=health.PROBES,
        session_cookie=browser_sessions.session_cookie_name(settings),
    )
    app.add_middleware(RequestContextMiddleware, link_base=settings.link_base)
    app.add_middleware(CORSErrorMiddleware)
    app.add_api_route("/assets/{name}", _asset, include_in_schema=False)
    app.add_api_route("/", _home, include_in_schema=False)
    return RootApp(app, metering, settings.link_base)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    database: Database = app.state.database
    changes: CacheInvalidator = app.state.changes
    engine: MeteringEngine = app.state.metering
    settings: Settings = app.state.settings
    await bootstrap(database, settings)
    await engine.start()
    await changes.start()
    worker = Worker(database, build_job_registry(settings, app.state.billing)) if settings.runs_jobs_inside else None
    working = asyncio.create_task(worker.run()) if worker is not None else None
    try:
        yield
    finally:
        app.state.is_stopping = True
        if worker is not None and working is not None:
            await worker.stop()
            await working
        await engine.stop()
        await changes.stop()
        await app.state.rates.close()
        await database.close()


async def _raise_app_error(request: Request, problem: Exception) -> Response:
    """Turns the framework's exceptions into errors of our own shape."""
    if isinstance(problem, RequestValidationError):
        raise from_validation_errors(list(problem.errors())) from None
    assert isinstance(problem, HTTPException)
    if problem.status_code == NotFound.status:
        raise NotFound("This path does not exist.", hint="Check the address. /docs lists all paths.") from None
    if problem.status_code == NotAllowed.status:
        raise NotAllowed("This path does not support this method.", headers={"Allow": _methods_of(request)}) from None
    raise MalformedRequest(str(problem.detail)) from None


def _methods_of(request: Request) -> str:
    """Every method that the path knows, over all routes that share it."""
    methods: set[str] = set()
    for route in chain(request.app.routes, *(router.routes for router in ROUTERS)):
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return ", ".join(sorted(methods))


async def _asset(name: str) -> FileResponse:
    """The style sheet or script of pages, linked with its version."""
    kind = {"dream.css": "text/css", "dream.js": "text/javascript"}.get(name)
    if kind is None:
        raise NotFound("File not found.", param="name")
    return FileResponse(ASSETS / name, media_type=kind, headers={"Cache-Control": "max-age=31536000, immutable"})


async def _home() -> RedirectResponse:
    return RedirectResponse("/dashboard")
