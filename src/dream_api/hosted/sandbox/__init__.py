"""Pages of the sandbox gateway: checkout and customer portal."""

from dream_api.hosted.sandbox import cancel, card, change_plan, checkout, portal

ROUTERS = (
    checkout.router,
    portal.router,
    change_plan.router,
    cancel.router,
    card.router,
)
