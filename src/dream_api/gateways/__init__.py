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

# Errors of a call to a gateway.
GATEWAY_ERRORS = (GatewayUnavailable, GatewayRefused)

__all__ = [
    "GATEWAY_ERRORS",
    "CardRefused",
    "Gateway",
    "GatewayAccount",
    "GatewayRefused",
    "GatewayUnavailable",
    "LineItem",
    "NewCheckout",
]
