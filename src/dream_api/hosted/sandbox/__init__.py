"""The sandbox's pages for people: a checkout, and the portal in which customers look after what they have; and the
dashboard's of what developers sell by the period."""

from dream_api.dashboard import subscriptions
from dream_api.hosted.sandbox import cancel, card, change_plan, checkout, portal

ROUTERS = (
    checkout.router,
    portal.router,
    change_plan.router,
    cancel.router,
    card.router,
    *subscriptions.ROUTERS,
)
