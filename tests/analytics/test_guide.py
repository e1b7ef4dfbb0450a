"""docs/guide/figures.md defines whatever is answered."""

import re
from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel

from dream_api.api.analytics.models import Dashboard, DashboardTotals
from tests.docs.documents import DOCS, prose

GUIDE = prose((DOCS / "guide" / "figures.md").read_text())


def keys_of(kind: object) -> Iterator[str]:
    """The names of a model's fields on the wire, and of those inside."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for field in kind.model_fields.values():
            assert field.serialization_alias is not None
            yield field.serialization_alias
            yield from keys_of(field.annotation)
        yield from (str(field.alias) for field in kind.model_computed_fields.values())
    for inside in get_args(kind):
        yield from keys_of(inside)


def test_every_key_is_defined():
    keys = {*keys_of(Dashboard), *keys_of(DashboardTotals)}

    assert len(keys) > 40
    assert sorted(key for key in keys if not re.search(rf"`{key}`", GUIDE)) == []
