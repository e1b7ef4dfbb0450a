"""Billing, as endpoints get it."""

from fastapi import Request

from dream_api.billing.context import Billing


def billing_of(request: Request) -> Billing:
    return request.app.state.billing
