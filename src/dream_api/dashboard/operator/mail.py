"""`/dashboard/operator/mail`: the instance's outbox of emails."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from markupsafe import Markup
from starlette.responses import Response

from dream_api.core import ids, mail
from dream_api.core.db import Database, Row
from dream_api.core.errors import NotFound
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard import cells, statuses
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.dependencies import OperatorContext, OperatorPageCanManage
from dream_api.dashboard.layout import PageRoute, render_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_HERE = "/dashboard/operator/mail"
_SENDING = "Emails of the last 30 days. The text of an email is deleted once it is sent."
_NOT_SENDING = Markup(
    "No mail server is configured: emails are stored here for you to forward. "
    "Set <code>DREAM_SMTP_URL</code> and <code>DREAM_MAIL_FROM</code> to send them."
)


class MailQuery(lists.ListQuery):
    after: str | None = lists.cursor("eml", alias="before")


MAIL = lists.ListPage[Row[Any], OperatorContext](
    title="Emails",
    here="mail",
    path="/mail",
    columns=[
        lists.Column("Subject", lists.text(lambda email: cells.link(f"{_HERE}/{email.id}", email.subject))),
        lists.Column("To", lists.text(lambda email: email.to), "wide-only"),
        lists.Column("Status", lists.text(lambda email: statuses.state(email.state, "email"))),
        lists.Column("Created", lists.real_time(lambda email: email.created_at)),
    ],
    empty=lists.Empty("No emails yet", "Invitations, email verifications and password resets are listed here."),
)


@router.get(_HERE)
async def list_mail(
    db: Db, settings: SettingsDep, visit: OperatorPageCanManage, asked: Annotated[MailQuery, Query()]
) -> Response:
    return await MAIL.show(
        db,
        visit,
        asked,
        lambda tx, limit, after: mail.list_newest(tx, limit=limit, before=after),
        lead=_NOT_SENDING if settings.smtp_url is None else _SENDING,
    )


@router.get(_HERE + "/{mailId}")
async def read_mail(db: Db, visit: OperatorPageCanManage, mail_id: Annotated[str, Path(alias="mailId")]) -> Response:
    """Its text, for owners only: an admin who requests an owner's password reset must not find the link here."""
    email = await _find(db, mail_id)
    if email is None:
        raise NotFound("Email not found.", hint="Emails are stored for 30 days.")
    return render_page(visit, "operator/mail.html", here="mail", email=email)


async def _find(db: Database, mail_id: str) -> Row[Any] | None:
    if not ids.is_one("eml", mail_id):
        return None
    async with db.read() as tx:
        return await mail.mail_by_id(tx, mail_id)
