"""In-process events: lower layers emit them inside the transaction, higher layers handle them."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from dream_api.core.db import Tx

# Called with the transaction and the facts that the event carries, by name.
Handler = Callable[..., Awaitable[None]]


class NotDeclared(LookupError):
    """An event was emitted or listened to that was not declared: a typing error."""


class Events:
    """The events of one application; app.py declares and wires them in one place."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}
        self._handlers: dict[str, list[Handler]] = {}

    def declare(self, name: str, sentence: str) -> None:
        """The sentence says when the event happens; ValueError where the name is taken."""
        if name in self._sentences:
            raise ValueError(f"The event {name!r} is declared already.")
        self._sentences[name] = sentence
        self._handlers[name] = []

    @property
    def declared(self) -> Mapping[str, str]:
        """Every name with its sentence, for the page that lists them."""
        return MappingProxyType(self._sentences)

    def on(self, name: str, handler: Handler) -> None:
        """The handler is awaited as `handler(tx, **facts)`, after those that were wired before it."""
        self._handlers_of(name).append(handler)

    async def emit(self, tx: Tx, name: str, **facts: object) -> None:
        """All handlers in their order, in this transaction; what one of them raises undoes it."""
        for handler in self._handlers_of(name):
            await handler(tx, **facts)

    def _handlers_of(self, name: str) -> list[Handler]:
        if name not in self._handlers:
            raise NotDeclared(f"The event {name!r} is not declared.")
        return self._handlers[name]
