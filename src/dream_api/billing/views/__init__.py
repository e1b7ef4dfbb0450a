"""The sandbox's pages for people: a checkout, and the portal in which customers look after what they have; and the
dashboard's of what developers sell by the period."""

from dream_api.billing.views import cards, changes, checkout, developers, endings, portal

ROUTERS = (
    checkout.router,
    portal.router,
    changes.router,
    endings.router,
    cards.router,
    *developers.ROUTERS,
)
