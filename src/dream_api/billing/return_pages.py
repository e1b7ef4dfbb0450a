"""Return pages: where buyers end when the seller named no page of their own.

Nobody signs in to see them: their address is the permission. It ends with a secret, which is stored in the URLs of the
checkout and nowhere else.
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api.billing import queries
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound
from dream_api.platforms import Project

_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class ReturnPages:
    """The URLs of the pages after a payment, and without one."""

    success_url: str
    cancel_url: str


def create_return_pages(link_base: str, project_id: str, checkout_id: str) -> ReturnPages:
    """New ones, for a checkout that is to have this id."""
    path = return_path(project_id, checkout_id, secrets.token_urlsafe(_RANDOM_BYTES))
    return ReturnPages(link_base + path, f"{link_base}{path}/canceled")


def return_path(project_id: str, checkout_id: str, secret: str) -> str:
    return f"/checkout/{project_id}/{checkout_id}/{secret}"


async def find_by_return_page(tx: Tx, project: Project | None, checkout_id: str, secret: str) -> Row[Any]:
    """The checkout whose return page has this secret; raises NotFound."""
    checkout = None if project is None else await queries.checkout_by_id(tx, project.platform_no, checkout_id)
    if project is None or checkout is None or checkout.project_id != project.id:
        raise NotFound("Page not found.")
    path = return_path(project.id, checkout.id, secret)
    # Its beginning is the instance's own URL, which may have changed.
    if not hmac.compare_digest(checkout.success_url[-len(path) :].encode(), path.encode()):
        raise NotFound("Page not found.")
    return checkout
