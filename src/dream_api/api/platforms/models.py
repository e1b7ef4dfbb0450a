"""Request and response models of projects and teams."""

from typing import Any, Literal

from pydantic import Field

from dream_api.api.enums import ProjectType, Role
from dream_api.api.models import ResponseModel, Timestamp, example
from dream_api.core.db import Row
from dream_api.core.http import RequestModel
from dream_api.platforms import RefundLimit

PROJECT: dict[str, Any] = {
    "projectId": "prj_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "name": "My API",
    "projectType": "saas",
    "origins": ["https://myapp.com"],
    "refundLimit": {"amount": 5000, "currency": "usd"},
    "createdAt": "2026-11-21T09:14:00Z",
}
_MEMBER = {
    "userId": "usr_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "email": "ada@example.com",
    "name": "Ada",
    "role": "owner",
    "joinedAt": "2026-11-21T09:14:00Z",
}
_INVITATION = {
    "id": "inv_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "email": "grace@example.com",
    "role": "member",
    "invitedBy": "Ada",
    "createdAt": "2026-11-21T09:14:00Z",
    "expiresAt": "2026-11-28T09:14:00Z",
}


class RefundLimitUpdate(RequestModel):
    """The amount of a payment that members can refund. Admins and owners have no limit."""

    amount: int = Field(ge=1, le=10**12, description="In minor units, for all refunds of a payment together.")
    currency: str = Field(pattern="^[A-Za-z]{3}$", description="Only for payments in this currency.")

    @property
    def limit(self) -> RefundLimit:
        return RefundLimit(self.amount, self.currency)


class ProjectRefundLimit(ResponseModel):
    """The amount of a payment that members can refund."""

    amount: int = Field(description="In minor units, for all refunds of a payment together.")
    currency: str


class Project(ResponseModel, json_schema_extra=example(PROJECT)):
    """What a platform sells, with its own customers, keys and plans or products."""

    project_id: str = Field(validation_alias="id")
    name: str
    project_type: ProjectType = Field(validation_alias="type", description="It cannot be changed.")
    origins: list[str] = Field(description="Its websites.")
    refund_limit: ProjectRefundLimit | None = Field(description="null: members cannot refund.")
    created_at: Timestamp


class Member(ResponseModel, json_schema_extra=example(_MEMBER)):
    """A member of the platform's team."""

    user_id: str
    email: str
    name: str
    role: Role
    joined_at: Timestamp


class Invitation(ResponseModel, json_schema_extra=example(_INVITATION)):
    """An invitation that was not accepted yet."""

    id: str
    email: str
    role: Role
    invited_by: str
    created_at: Timestamp
    expires_at: Timestamp = Field(description="When its link expires; it can be sent again.")


class Deleted(ResponseModel, json_schema_extra=example({"deleted": True})):
    """The object was deleted."""

    deleted: Literal[True] = True


def to_member(row: Row[Any], user: Row[Any]) -> Member:
    return Member(user_id=row.user_id, email=user.email, name=user.name, role=row.role, joined_at=row.joined_at)
