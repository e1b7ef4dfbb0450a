"""Options of the form `key=value,key=value`: limits and prices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from dream_api.core.errors import ValidationFailed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OptionSyntax:
    """The keys that an option may have, and how error messages name it."""

    what: str
    keys: tuple[str, ...]
    hint: str

    def parse(self, text: str) -> dict[str, str]:
        """The values by their keys."""
        values: dict[str, str] = {}
        for part in text.split(","):
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals:
                raise self.error(f"The part {part!r} of the {self.what} must have the format key=value.")
            if key not in self.keys:
                raise self.error(f"A {self.what} has no key {key!r}. Its keys are {_listed(self.keys)}.")
            if key in values:
                raise self.error(f"The {self.what} {text!r} contains the key {key} twice.")
            values[key] = value
        return values

    def one_of(self, known: Mapping[str, T], word: str, key: str) -> T:
        if word not in known:
            raise self.error(f"The {key} of a {self.what} must be {_listed(known, 'or')}, not {word!r}.")
        return known[word]

    def number(self, word: str, key: str) -> int:
        if not (word.isascii() and word.isdigit()):
            raise self.error(f"The {key} of a {self.what} must be a whole number, not {word!r}.")
        return int(word)

    def error(self, sentence: str) -> ValidationFailed:
        return ValidationFailed(sentence, param=self.what, hint=self.hint)


def _listed(words: Iterable[str], last: str = "and") -> str:
    *others, final = words
    return f"{', '.join(others)} {last} {final}"
