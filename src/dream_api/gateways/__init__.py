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

# What asking a gateway can be refused for.
REFUSALS = (GatewayUnavailable, GatewayRefused)

__all__ = [
    "REFUSALS",
    "Account",
    "CardRefused",
    "Gateway",
    "GatewayRefused",
    "GatewayUnavailable",
    "Line",
    "NewCheckout",
]
