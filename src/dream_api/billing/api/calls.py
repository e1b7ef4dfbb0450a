"""What billing's endpoints share."""

from dream_api.billing.contract import GatewayRefused, GatewayUnavailable

GATEWAY_REFUSALS = (GatewayUnavailable, GatewayRefused)
