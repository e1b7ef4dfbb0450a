"""Pagination parameters of lists of billing."""

from typing import Annotated

from fastapi import Query

Limit = Annotated[int, Query(ge=1, le=100, description="How many to answer.")]
After = Annotated[
    str | None,
    Query(pattern=r"^[a-z]{3}_[0-9a-z]{26}$", description="The `nextCursor` of the page before."),
]
