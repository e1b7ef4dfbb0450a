"""`/dashboard/operator/mail`: the instance's outbox of emails."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from dream_api.core import ids, mail
from dream_api.core.db import Database, Row
from dream_api.core.errors import NotFound
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.dependencies import OperatorPageCanManage
from dream_api.dashboard.layout import PageRenderer, PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_frame = PageRenderer("dream_api.dashboard.operator")

_HERE = "/dashboard/operator/mail"
_PAGE = 50


@router.get(_HERE)
async def list_mail(
    db: Db,
    settings: SettingsDep,
    visit: OperatorPageCanManage,
    before: Annotated[str | None, Query(pattern=r"^eml_[0-9a-z]{26}$")] = None,
) -> Response:
    async with db.read() as tx:
        found = await mail.list_newest(tx, limit=_PAGE + 1, before=before)
    emails = found[:_PAGE]
    next_url = f"{_HERE}?before={emails[-1].id}" if len(found) > _PAGE else None
    is_sending = settings.smtp_url is not None
    return _frame.render(visit, "mails.html", here="mail", emails=emails, next_url=next_url, is_sending=is_sending)


@router.get(_HERE + "/{mailId}")
async def read_mail(db: Db, visit: OperatorPageCanManage, mail_id: Annotated[str, Path(alias="mailId")]) -> Response:
    """Its text, for owners: an admin who asks to reset an owner's password must not find the link here.

    The HTML was made for the person it goes to, and is not shown.
    """
    email = await _find(db, mail_id)
    if email is None:
        raise NotFound("There is no such email.", hint="Emails are kept for 30 days.")
    return _frame.render(visit, "mail.html", here="mail", email=email)


async def _find(db: Database, mail_id: str) -> Row[Any] | None:
    if not ids.is_one("eml", mail_id):
        return None
    async with db.read() as tx:
        return await mail.mail_by_id(tx, mail_id)
