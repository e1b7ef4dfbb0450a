"""What a developer types of a customer, held against what the API takes."""

from collections.abc import Mapping

from pydantic import ValidationError

from dream_api.core.errors import ValidationFailed
from dream_api.customers.api import CustomerChange

_SENTENCES = {"email": "That is no e-mail address.", "name": "A name has at most 120 characters."}


def read_profile(form: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Address and name; raises ValidationFailed of the one that is wrong."""
    typed = {name: form[name] for name in _SENTENCES if form.get(name)}
    try:
        profile = CustomerChange.model_validate(typed)
    except ValidationError as problem:
        field = str(problem.errors()[0]["loc"][0])
        raise ValidationFailed(_SENTENCES.get(field, "That cannot be."), param=field) from None
    return profile.email, profile.name
