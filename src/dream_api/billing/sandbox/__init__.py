"""A gateway without money: checkout, portal, test cards, subscriptions and signed events, in a project's own time."""

from dream_api.billing.sandbox.books import DELIVER_JOB
from dream_api.billing.sandbox.cards import CARDS, Card
from dream_api.billing.sandbox.gateway import Sandbox, Session
from dream_api.billing.sandbox.portal import Portal

__all__ = ["CARDS", "DELIVER_JOB", "Card", "Portal", "Sandbox", "Session"]
