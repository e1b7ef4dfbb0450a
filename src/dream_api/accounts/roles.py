"""Roles of members on a platform; `platforms.permissions` has what each may do."""

from typing import Literal, get_args

Role = Literal["owner", "admin", "member", "viewer"]
# The one who may most comes first.
ROLES: tuple[Role, ...] = get_args(Role)
