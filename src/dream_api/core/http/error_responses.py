"""Every "no" in one shape: JSON for programs, a page for people."""

import json
from typing import Any

from starlette.responses import HTMLResponse, Response

from dream_api.core.errors import AppError
from dream_api.core.html import renderer


def error_body(refusal: AppError, request_id: str, link_base: str) -> dict[str, Any]:
    return {
        "error": refusal.sentence,
        "code": refusal.code,
        "param": refusal.param,
        "hint": refusal.hint,
        "requestId": request_id,
        "docs": f"{link_base}/docs/errors/{refusal.code}",
        **refusal.extra,
    }


def error_response(refusal: AppError, request_id: str, link_base: str, accept: str = "") -> Response:
    """HTML where the caller is a browser that prefers it."""
    headers = {**refusal.headers, "X-Request-Id": request_id}
    if _prefers_html(accept):
        page = renderer.render("refusal.html", refusal=refusal, request_id=request_id, link_base=link_base)
        return HTMLResponse(page, refusal.status, headers)
    body = json.dumps(error_body(refusal, request_id, link_base), ensure_ascii=False)
    return Response(body.encode(errors="replace"), refusal.status, headers, media_type="application/json")


def _prefers_html(accept: str) -> bool:
    html, program = accept.find("text/html"), accept.find("application/json")
    return html >= 0 and (program < 0 or html < program)
