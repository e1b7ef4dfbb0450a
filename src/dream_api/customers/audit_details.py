"""Audit details of changes to a customer."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row


def audit_details(before: Row[Any], values: Mapping[str, Any]) -> tuple[str, dict[str, str]] | None:
    """The action and its details; None where the values are what was there before."""
    changed = sorted(name for name, value in values.items() if getattr(before, name) != value)
    if not changed:
        return None
    details = {"fields": ", ".join(changed)}
    if "plan" in changed:
        details["plan"] = values["plan"] or ""
    if "status" not in changed:
        return "customer.changed", details
    return ("customer.blocked" if values["status"] == "blocked" else "customer.unblocked"), details
