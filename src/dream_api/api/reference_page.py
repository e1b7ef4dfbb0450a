"""`/docs`: the API reference, which Swagger UI renders from the OpenAPI document."""

import base64
import hashlib

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

# Where FastAPIOffline serves Swagger UI's own files.
_FILES = "/static-offline-docs"


def add_reference_page(app: FastAPI) -> None:
    assert app.openapi_url is not None
    rendered = get_swagger_ui_html(
        openapi_url=app.openapi_url,
        title=f"{app.title}: API reference",
        swagger_js_url=f"{_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{_FILES}/swagger-ui.css",
        swagger_favicon_url=f"{_FILES}/favicon.png",
        swagger_ui_parameters={"docExpansion": "none", "tagsSorter": None, "displayOperationId": True},
    )
    page = bytes(rendered.body).decode()
    headers = {"Content-Security-Policy": _policy(page), "X-Frame-Options": "DENY"}

    async def reference_page() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    app.add_api_route("/docs", reference_page, include_in_schema=False)


def _policy(page: str) -> str:
    """Only this page's own script runs, and it reaches this instance alone."""
    scripts = [rest.partition("</script>")[0] for rest in page.split("<script>")[1:]]
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
