"""Response models of assets, and their common parameters."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import BeforeValidator, Field, ValidationInfo

from dream_api.api.models import ResponseModel, Timestamp, example
from dream_api.core.db import Row
from dream_api.core.errors import NotFound

Key = Annotated[str, Path(description="From the response of the upload.")]
# A file, as OpenAPI describes it.
FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_LINK_BASE = "link_base"


def _url_of(key: str, info: ValidationInfo) -> str:
    assert info.context is not None
    return f"{info.context[_LINK_BASE]}/api/assets/{key}"


class Asset(
    ResponseModel,
    json_schema_extra=example(
        {
            "key": "0f8fad5bd9cb469fa16570867728950e-9f86d081884c7d65",
            "url": "http://127.0.0.1:8787/api/assets/0f8fad5bd9cb469fa16570867728950e-9f86d081884c7d65",
            "contentType": "image/png",
            "size": 20480,
            "name": "mug.png",
            "createdAt": "2026-11-21T09:14:00Z",
        }
    ),
):
    """An uploaded file."""

    key: str
    url: Annotated[str, BeforeValidator(_url_of)] = Field(
        validation_alias="key", description="The permanent URL of the file. Anyone who knows it can download the file."
    )
    content_type: str = Field(description="Detected from the file's bytes.")
    size: int = Field(description="In bytes.")
    name: str
    created_at: Timestamp


def to_asset(row: Row[Any], link_base: str) -> Asset:
    return Asset.model_validate(row, context={_LINK_BASE: link_base})


def asset_not_found() -> NotFound:
    return NotFound("File not found.", param="key", hint="Use the url that the upload returned.")
