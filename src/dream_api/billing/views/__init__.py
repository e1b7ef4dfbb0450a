"""The sandbox's pages for people: a checkout, and the portal in which customers look after what they have."""

from dream_api.billing.views import cards, changes, checkout, endings, portal

ROUTERS = (checkout.router, portal.router, changes.router, endings.router, cards.router)
