"""Payment gateways: the contract, Stripe-shaped objects and webhook signatures, and the sandbox."""

from dream_api.gateways.contract import (
    CardRefused,
    Gateway,
    GatewayAccount,
    GatewayRefused,
    GatewayUnavailable,
    LineItem,
    NewCheckout,
)

# What asking a gateway can be refused for.
REFUSALS = (GatewayUnavailable, GatewayRefused)

__all__ = [
    "REFUSALS",
    "CardRefused",
    "Gateway",
    "GatewayAccount",
    "GatewayRefused",
    "GatewayUnavailable",
    "LineItem",
    "NewCheckout",
]
