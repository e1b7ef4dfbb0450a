"""What billing's endpoints share."""

from dream_api.gateways.contract import GatewayRefused, GatewayUnavailable

GATEWAY_REFUSALS = (GatewayUnavailable, GatewayRefused)
