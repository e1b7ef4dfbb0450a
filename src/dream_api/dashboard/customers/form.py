"""The form of a customer's profile, validated as the API does."""

import re
from collections.abc import Mapping

from dream_api.core.errors import ValidationFailed

_LONGEST_EMAIL = 254
_LONGEST_NAME = 120
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def read_profile(form: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Address and name; raises ValidationFailed of the one that is wrong."""
    email, name = form.get("email") or None, form.get("name") or None
    if email is not None and (len(email) > _LONGEST_EMAIL or not _ADDRESS.fullmatch(email)):
        raise ValidationFailed("Enter a valid email address.", param="email")
    if name is not None and len(name) > _LONGEST_NAME:
        raise ValidationFailed(f"A name has at most {_LONGEST_NAME} characters.", param="name")
    return email, name
