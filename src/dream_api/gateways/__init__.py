"""Payment gateways: the contract, Stripe-shaped objects and webhook signatures, and the sandbox."""

from dream_api.gateways.contract import (
    Account,
    CardRefused,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    Line,
    NewCheckout,
)

__all__ = [
    "Account",
    "CardRefused",
    "Gateway",
    "GatewayRefused",
    "GatewayUnavailable",
    "Line",
    "NewCheckout",
]
