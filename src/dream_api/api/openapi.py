"""The OpenAPI document: names for what operations share, tags, servers, and the rules that hold for all of it."""

from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from dream_api.core.http import Error

TAGS = (
    ("Usage", "Count metered calls, and read the usage and limits of customers."),
    ("Customers", "The end users of a project."),
    ("Checkouts", "Hosted pages on which customers pay, and the portal in which they manage their subscriptions."),
    ("Subscriptions", "Subscriptions of customers to plans."),
    ("Invoices and payments", "Invoices, payments and refunds of customers."),
    ("Store", "Carts, orders and their refunds."),
    ("Catalog", "Plans of SaaS projects, products of stores, their prices, and coupons."),
    ("Keys", "API keys of a platform's projects."),
    ("Platforms", "Platforms and their projects."),
    ("Team", "Members and invitations of a platform."),
    ("Events", "What happened in a project, newest first."),
    ("Analytics", "Metrics of a project and of a platform: revenue, usage and customers."),
    ("Security log", "Who did what on a platform."),
    ("Assets", "Images and other files of a platform."),
    ("Test mode", "The test clock, and the built-in sandbox, which replaces a payment gateway."),
    ("Webhooks", "Receivers of events from payment gateways."),
    ("Operations", "Health checks and metrics."),
)
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_SCHEMAS = "#/components/schemas/"
_JSON = "application/json"


def customize_openapi(app: FastAPI, *, url: str) -> None:
    """Complete the document that FastAPI writes; `url` is where the instance is reached."""
    app.openapi_tags = [{"name": name, "description": description} for name, description in TAGS]
    app.contact = {"name": "The operator of this instance", "url": url}
    app.servers = [{"url": url, "description": "This instance."}]
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            _write_schemas(document, app)
            _drop_titles(document)
            _tidy_parameters(document)
            _share_errors(document)
            _share_parameters(document)
        return app.openapi_schema or {}

    app.openapi = openapi


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation with its path and method."""
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _write_schemas(document: dict[str, Any], app: FastAPI) -> None:
    """The schemas of all models, as Pydantic writes them.

    FastAPI leaves out bodies that endpoints read by themselves after checking the caller's permission, and null in
    examples.
    """
    routes = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    models: dict[tuple[Any, JsonSchemaMode], None] = {(Error, "serialization"): None}
    for route in routes:
        models[getattr(route.endpoint, "request_model", None), "validation"] = None
        models[route.response_model, "serialization"] = None
    _, found = models_json_schema([one for one in models if one[0] is not None], ref_template=_SCHEMAS + "{model}")
    document["components"]["schemas"] = dict(sorted(found["$defs"].items()))


def _drop_titles(document: dict[str, Any]) -> None:
    """Titles that only repeat a property's or a parameter's name."""
    for schema in document["components"]["schemas"].values():
        for each in schema.get("properties", {}).values():
            each.pop("title", None)
    for _, _, operation in operations(document):
        for each in operation.get("parameters", ()):
            each["schema"].pop("title", None)


def _tidy_parameters(document: dict[str, Any]) -> None:
    """A parameter is left out, never null; some are required that endpoints check by themselves."""
    for _, _, operation in operations(document):
        for one in operation.get("parameters", ()):
            schema = one["schema"]
            if schema.pop("x-required", False):
                one["required"] = True
            kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
            if len(kinds) == 1:
                del schema["anyOf"]
                one["schema"] = {**kinds[0], **schema}


def _share_errors(document: dict[str, Any]) -> None:
    """One component for each status of errors; operations refer to it and add their codes."""
    shared = document["components"].setdefault("responses", {})
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if not status.isdecimal() or int(status) < HTTPStatus.BAD_REQUEST:
                continue
            phrase = HTTPStatus(int(status)).phrase
            name = phrase.title().replace(" ", "").replace("-", "")
            shared[name] = {
                "description": phrase,
                "content": {_JSON: {"schema": {"$ref": _SCHEMAS + "Error"}}},
            }
            operation["responses"][status] = {
                "$ref": f"#/components/responses/{name}",
                "description": response["description"],
            }


def _share_parameters(document: dict[str, Any]) -> None:
    """A component for each parameter that several operations have; where two have one name, for the more frequent."""
    every = [one for _, _, operation in operations(document) for one in operation.get("parameters", ())]
    found = [one for one in every if one["in"] != "path"]
    uses = Counter(map(repr, found))
    shared: dict[str, dict[str, Any]] = document["components"].setdefault("parameters", {})
    for one in found:
        name = _component_name(one)
        if uses[repr(one)] > max(1, uses[repr(shared.get(name))]):
            shared[name] = one
    for _, _, operation in operations(document):
        operation["parameters"] = [
            {"$ref": f"#/components/parameters/{_component_name(one)}"}
            if shared.get(_component_name(one)) == one
            else one
            for one in operation.get("parameters", ())
        ]
        if not operation["parameters"]:
            del operation["parameters"]


def _component_name(parameter: dict[str, Any]) -> str:
    """`XUserId` of the header `X-User-Id`, `ProjectId` of the query parameter `projectId`."""
    parts = parameter["name"].split("-")
    return "".join(part[:1].upper() + part[1:] for part in parts)
