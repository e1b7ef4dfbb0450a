"""What each role may do."""

from typing import get_args

import pytest

from dream_api.accounts import ROLES
from dream_api.platforms import Permission, PermissionDenied, has_permission, require_permission
from dream_api.platforms.permissions import PERMISSIONS

MAY = {
    "owner": {"view", "sell", "test_keys", "refund_some", "refund", "team", "manage", "bill", "own"},
    "admin": {"view", "sell", "test_keys", "refund_some", "refund", "team", "manage"},
    "member": {"view", "sell", "test_keys", "refund_some"},
    "viewer": {"view"},
}


def test_each_role_may_what_it_may() -> None:
    assert {role: {one for one in get_args(Permission) if has_permission(role, one)} for role in ROLES} == MAY
    assert set(PERMISSIONS) == set(get_args(Permission))


@pytest.mark.parametrize(("permission", "needed"), [("sell", "owner, admin or member"), ("bill", "owner")])
def test_a_refusal_names_the_roles_it_takes(permission: Permission, needed: str) -> None:
    with pytest.raises(PermissionDenied, match=f"This requires the role {needed}; yours is viewer."):
        require_permission("viewer", permission)
