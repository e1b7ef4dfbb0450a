"""Request and response models of projects and teams."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api.accounts import Role
from dream_api.core import clock, errors
from dream_api.core.db import Row
from dream_api.core.errors import AppError
from dream_api.core.http import RequestModel
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch
from dream_api.platforms import ProjectType, RefundLimit, project_from

BODY_ERRORS: tuple[type[AppError], ...] = (
    errors.MalformedJson,
    errors.BodyTooDeep,
    errors.TooLarge,
    errors.UnsupportedMedia,
    IdempotencyInProgress,
    IdempotencyMismatch,
)


class ResponseModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class RefundLimitUpdate(RequestModel):
    """How much of a payment members may give back; admins and owners may all of it."""

    amount: int = Field(ge=1, le=10**12, description="In minor units, all refunds of a payment together.")
    currency: str = Field(pattern="^[A-Za-z]{3}$", description="Of payments in this currency.")

    @property
    def limit(self) -> RefundLimit:
        return RefundLimit(self.amount, self.currency)


class RefundLimitResponse(ResponseModel):
    """As it was asked for."""

    amount: int
    currency: str


class ShownProject(ResponseModel):
    """What a platform sells."""

    project_id: str
    name: str
    project_type: ProjectType = Field(description="It never changes.")
    origins: list[str] = Field(description="Its websites.")
    refund_limit: RefundLimitResponse | None = Field(description="null: members give nothing back.")
    created_at: str


class Member(ResponseModel):
    """Somebody who works on the platform."""

    user_id: str
    email: str
    name: str
    role: Role
    joined_at: str


class Invitation(ResponseModel):
    """Somebody who was asked to, and has not answered yet."""

    id: str
    email: str
    role: Role
    invited_by: str
    created_at: str
    expires_at: str = Field(description="From then on its link is over; it can be sent again.")


Yes = Literal[True]


class Done(ResponseModel):
    """It is done."""

    deleted: Yes = True


PROJECT_EXAMPLE: dict[str, Any] = {
    "projectId": "prj_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "name": "My API",
    "projectType": "saas",
    "origins": ["https://myapp.com"],
    "refundLimit": {"amount": 5000, "currency": "usd"},
    "createdAt": "2026-11-21T09:14:00Z",
}
MEMBER_EXAMPLE = {
    "userId": "usr_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "email": "ada@example.com",
    "name": "Ada",
    "role": "owner",
    "joinedAt": "2026-11-21T09:14:00Z",
}
INVITATION_EXAMPLE = {
    "id": "inv_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "email": "grace@example.com",
    "role": "member",
    "invitedBy": "Ada",
    "createdAt": "2026-11-21T09:14:00Z",
    "expiresAt": "2026-11-28T09:14:00Z",
}


def project_response(row: Row[Any]) -> ShownProject:
    project = project_from(row)
    limit = project.refund_limit
    return ShownProject(
        project_id=project.id,
        name=project.name,
        project_type=project.type,
        origins=list(project.origins),
        refund_limit=None if limit is None else RefundLimitResponse(amount=limit.amount, currency=limit.currency),
        created_at=clock.rfc3339(row.created_at),
    )


def member_response(row: Row[Any], user: Row[Any]) -> Member:
    return Member(
        user_id=row.user_id, email=user.email, name=user.name, role=row.role, joined_at=clock.rfc3339(row.joined_at)
    )


def invitation_response(row: Row[Any]) -> Invitation:
    return Invitation(
        id=row.id,
        email=row.email,
        role=row.role,
        invited_by=row.invited_by,
        created_at=clock.rfc3339(row.created_at),
        expires_at=clock.rfc3339(row.expires_at),
    )
