"""Error responses in one shape: JSON for programs, a page for browsers."""

import json
from typing import Any

from starlette.responses import HTMLResponse, Response

from dream_api.core.errors import AppError
from dream_api.core.html import renderer


def error_body(error: AppError, request_id: str, link_base: str) -> dict[str, Any]:
    return {
        "error": error.sentence,
        "code": error.code,
        "param": error.param,
        "hint": error.hint,
        "requestId": request_id,
        "docs": f"{link_base}/docs/errors/{error.code}",
        **error.extra,
    }


def error_response(error: AppError, request_id: str, link_base: str, accept: str = "") -> Response:
    """HTML where the caller is a browser that prefers it."""
    headers = {**error.headers, "X-Request-Id": request_id}
    if _prefers_html(accept):
        page = renderer.render("error.html", error=error, request_id=request_id, link_base=link_base)
        return HTMLResponse(page, error.status, headers)
    body = json.dumps(error_body(error, request_id, link_base), ensure_ascii=False)
    return Response(body.encode(errors="replace"), error.status, headers, media_type="application/json")


def _prefers_html(accept: str) -> bool:
    html, program = accept.find("text/html"), accept.find("application/json")
    return html >= 0 and (program < 0 or html < program)
