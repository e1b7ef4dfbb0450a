"""A gateway without money: checkout, portal, test cards, subscriptions and signed events, in a project's own time."""

from dream_api.gateways.sandbox.gateway import CheckoutSession, Sandbox
from dream_api.gateways.sandbox.portal import Portal
from dream_api.gateways.sandbox.test_cards import CARDS, Card
from dream_api.gateways.sandbox.unit_of_work import DELIVER_JOB

__all__ = ["CARDS", "DELIVER_JOB", "Card", "CheckoutSession", "Portal", "Sandbox"]
