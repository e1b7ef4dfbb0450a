"""The sandbox's pages: a checkout, and the portal in which customers look after what they have."""

from dream_api.hosted.sandbox import cancel, card, change_plan, checkout, portal

ROUTERS = (
    checkout.router,
    portal.router,
    change_plan.router,
    cancel.router,
    card.router,
)
