"""HTTP for every endpoint: bounded bodies, errors in one shape, request ids, idempotent responses."""

from dream_api.core.http.client_address import TrustedProxies, rate_limit_key
from dream_api.core.http.connections import Connections
from dream_api.core.http.error_responses import error_body, error_response
from dream_api.core.http.fast_path import FastPathProtocolFactory
from dream_api.core.http.forms import CSRFFailed, Form, read_form, require_same_origin
from dream_api.core.http.middleware import RequestContextMiddleware, RootApp, to_app_error
from dream_api.core.http.openapi import (
    BODY_ERRORS,
    IDEMPOTENCY_ERRORS,
    Error,
    error_responses,
)
from dream_api.core.http.protocol import Deadlines, HttpProtocolFactory, Reply
from dream_api.core.http.request_body import (
    ClientDisconnected,
    RequestModel,
    from_validation_errors,
    parse_json_body,
    read_body,
    read_chunks,
    read_json_body,
)
from dream_api.core.http.responses import (
    ModelResponse,
    add_header,
    idempotency_key_of,
    idempotent_external_call,
    idempotent_response,
    json_response,
)

__all__ = [
    "BODY_ERRORS",
    "IDEMPOTENCY_ERRORS",
    "CSRFFailed",
    "ClientDisconnected",
    "Connections",
    "Deadlines",
    "Error",
    "FastPathProtocolFactory",
    "Form",
    "HttpProtocolFactory",
    "ModelResponse",
    "Reply",
    "RequestContextMiddleware",
    "RequestModel",
    "RootApp",
    "TrustedProxies",
    "add_header",
    "error_body",
    "error_response",
    "error_responses",
    "from_validation_errors",
    "idempotency_key_of",
    "idempotent_external_call",
    "idempotent_response",
    "json_response",
    "parse_json_body",
    "rate_limit_key",
    "read_body",
    "read_chunks",
    "read_form",
    "read_json_body",
    "require_same_origin",
    "to_app_error",
]
