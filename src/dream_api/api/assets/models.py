"""Response models of assets, and their common parameters."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api.core import clock
from dream_api.core.db import Row
from dream_api.core.errors import NotFound

Key = Annotated[str, Path(description="From the upload's answer.")]
# A file, as OpenAPI describes it.
FILE: dict[str, Any] = {"type": "string", "format": "binary"}


class KeptAsset(BaseModel):
    """A file that was kept."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    key: str
    url: str = Field(description="Where everybody who knows it finds the file; it never changes.")
    content_type: str = Field(description="Detected from the bytes themselves.")
    size: int = Field(description="In bytes.")
    name: str
    created_at: str


ASSET_EXAMPLE: dict[str, Any] = {
    "key": "0f8fad5bd9cb469fa16570867728950e-9f86d081884c7d65",
    "url": "http://127.0.0.1:8787/api/assets/0f8fad5bd9cb469fa16570867728950e-9f86d081884c7d65",
    "contentType": "image/png",
    "size": 20480,
    "name": "mug.png",
    "createdAt": "2026-11-21T09:14:00Z",
}


def asset_response(row: Row[Any], link_base: str) -> KeptAsset:
    return KeptAsset(
        key=row.key,
        url=f"{link_base}/api/assets/{row.key}",
        content_type=row.content_type,
        size=row.size,
        name=row.name,
        created_at=clock.rfc3339(row.created_at),
    )


def asset_not_found() -> NotFound:
    return NotFound("There is no such file.", param="key", hint="Check the address, as the upload returned it.")
