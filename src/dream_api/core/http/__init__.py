"""What every endpoint shares: bodies read within bounds, refusals in one shape, each request with an id."""

from dream_api.core.http.client_address import Proxies, caller_of
from dream_api.core.http.connections import Connections
from dream_api.core.http.error_responses import refusal_answer, refusal_body
from dream_api.core.http.fast_path import Lanes
from dream_api.core.http.forms import ForeignForm, Form, read_form, refuse_foreign_form
from dream_api.core.http.middleware import Answering, Front, as_refusal
from dream_api.core.http.openapi import JSON_BODY, Error, answers, document, shown, takes
from dream_api.core.http.protocol import Deadlines, HttpProtocols, Reply
from dream_api.core.http.request_body import Body, ClientGone, from_errors, parse, read, read_json
from dream_api.core.http.responses import add_header, answer_once, answer_outside, json_answer, once_of, replayed

__all__ = [
    "JSON_BODY",
    "Answering",
    "Body",
    "ClientGone",
    "Connections",
    "Deadlines",
    "Error",
    "ForeignForm",
    "Form",
    "Front",
    "HttpProtocols",
    "Lanes",
    "Proxies",
    "Reply",
    "add_header",
    "answer_once",
    "answer_outside",
    "answers",
    "as_refusal",
    "caller_of",
    "document",
    "from_errors",
    "json_answer",
    "once_of",
    "parse",
    "read",
    "read_form",
    "read_json",
    "refusal_answer",
    "refusal_body",
    "refuse_foreign_form",
    "replayed",
    "shown",
    "takes",
]
