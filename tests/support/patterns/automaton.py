"""Regular expressions as position automata (Glushkov's).

A position stands for one character class of the expression, a step for one way in which the matcher goes from a
character to the next. Two ways between the same positions are two steps: that is how `(a*)*` shows its ambiguity.

It admits a little more than the expression: `{2,9}` repeats without end, assertions always hold.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from re import _compiler as compiler
from re import _constants as op
from re import _parser as parser
from typing import Any, NamedTuple

START = 0
# Readable ones first, since the first of a class stands for it in the texts that are made.
_READABLE = " a0-.,:;<@/_Z\t\n\r\x01\x00"
_BEYOND_LATIN = (
    "\u0130\u0131\u017f\u0660\u2028\u2029\u202a\u202e\u2066\u2069\u212a\u3000\u4e2d\ud800\ufffd\U0001f600\U0010ffff"
)
_CHARACTERS = (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY)
_MOST_COPIES = 4
# Steps between the same positions; a third tells no more than a second.
_MOST_WAYS = 2


class End(NamedTuple):
    """A first or last position of a fragment; none of `excluded` can be the character next to it.

    `is_certain` where the match can end here whatever follows.
    """

    position: int
    excluded: int = 0
    is_certain: bool = True


class Empty(NamedTuple):
    """A way through a fragment that takes no character."""

    excluded: int = 0
    is_certain: bool = True


@dataclass(slots=True)
class Fragment:
    first: list[End] = field(default_factory=list)
    last: list[End] = field(default_factory=list)
    empty: list[Empty] = field(default_factory=list)


@dataclass(slots=True)
class Automaton:
    """Character sets are bit masks over the alphabet."""

    alphabet: str
    classes: list[int] = field(default_factory=lambda: [0])
    # From each position: to which, by which characters.
    steps: list[list[tuple[int, int]]] = field(default_factory=lambda: [[]])
    # Where a search has succeeded, whatever follows.
    accepting: set[int] = field(default_factory=set)
    # The position of what a search skips before the match.
    skipping: int | None = None

    @property
    def all(self) -> int:
        return (1 << len(self.alphabet)) - 1

    def character(self, mask: int) -> str:
        return self.alphabet[(mask & -mask).bit_length() - 1]

    def add(self, mask: int) -> int:
        self.classes.append(mask)
        self.steps.append([])
        return len(self.classes) - 1

    def join(self, last: Iterable[End], first: Iterable[End]) -> None:
        for before in last:
            for after in first:
                mask = self.classes[after.position] & ~(before.excluded | after.excluded)
                step = (after.position, mask)
                if mask and self.steps[before.position].count(step) < _MOST_WAYS:
                    self.steps[before.position].append(step)


def automaton(pattern: re.Pattern[Any], *, searches: bool) -> Automaton:
    """Of a pattern that is tried at every position of the text, or at its beginning only."""
    parsed = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    return _Builder(parsed, is_text=isinstance(pattern.pattern, str)).build(searches=searches)


class _Builder:
    def __init__(self, parsed: Any, *, is_text: bool) -> None:
        self._parsed = parsed
        self._flags = parsed.state.flags
        self._is_text = is_text
        self._groups: dict[int, int] = {}
        self._made = Automaton(_alphabet(parsed, is_text=is_text))

    def build(self, *, searches: bool) -> Automaton:
        made, body = self._made, self._sequence(self._parsed)
        entries = [End(START)]
        if searches and not _is_anchored(self._parsed):
            entries += self._skipping()
        elif searches and self._flags & re.MULTILINE:
            entries += self._skipping_lines()
        made.join(entries, body.first)
        made.accepting = {end.position for end in body.last if end.is_certain}
        return made

    def _skipping(self) -> list[End]:
        made = self._made
        made.skipping = made.add(made.all)
        skipping = [End(made.skipping)]
        made.join([End(START), *skipping], skipping)
        return skipping

    def _skipping_lines(self) -> list[End]:
        """`^` holds after a newline only."""
        made = self._made
        newline = [End(made.add(1 << made.alphabet.index("\n")))]
        made.join([End(START), *self._skipping()], newline)
        return newline

    def _sequence(self, nodes: Any) -> Fragment:
        whole = Fragment(empty=[Empty()])
        for name, argument in nodes:
            whole = self._concatenated(whole, self._fragment(name, argument))
        return whole

    def _fragment(self, name: Any, argument: Any) -> Fragment:  # noqa: PLR0911 - one line for each kind
        if name in _CHARACTERS:
            return self._of_class(self._class((name, argument)))
        match name:
            case op.BRANCH:
                return _either(self._sequence(nodes) for nodes in argument[1])
            case op.SUBPATTERN:
                return self._group(*argument)
            case op.MAX_REPEAT | op.MIN_REPEAT:
                return self._repeated(*argument)
            case op.POSSESSIVE_REPEAT:
                return self._never_returned_to(*argument)
            case op.ATOMIC_GROUP:
                return self._atomic(argument)
            case _:
                return self._zero_width(name, argument)

    def _zero_width(self, name: Any, argument: Any) -> Fragment:
        uncertain = Fragment(empty=[Empty(is_certain=False)])
        match name:
            case op.AT:
                return uncertain
            case op.ASSERT | op.ASSERT_NOT if argument[0] > 0:  # what is looked at ahead is read as well
                return Fragment(self._sequence(argument[1]).first, [], uncertain.empty)
            case op.ASSERT | op.ASSERT_NOT:
                return uncertain
            case op.GROUPREF:
                return _either([uncertain, self._loop(self._of_class(self._groups[argument]))])
            case op.GROUPREF_EXISTS:
                return _either([self._sequence(argument[1]), self._sequence(argument[2] or [])])
            case op.FAILURE:
                return Fragment()
            case _:
                raise NotImplementedError(f"{name} in {self._parsed}")

    def _class(self, node: Any) -> int:
        """The characters that the engine itself takes for this one, with the flags at this place."""
        one = compiler.compile(parser.SubPattern(self._parsed.state, [node]), self._flags)
        texts = self._made.alphabet if self._is_text else [char.encode("latin-1") for char in self._made.alphabet]
        return sum(1 << index for index, char in enumerate(texts) if one.fullmatch(char))

    def _of_class(self, mask: int) -> Fragment:
        here = [End(self._made.add(mask))]
        return Fragment(here, here, [])

    def _group(self, number: int | None, added: int, removed: int, nodes: Any) -> Fragment:
        before, self._flags = self._flags, (self._flags | added) & ~removed
        known = len(self._made.classes)
        inside = self._sequence(nodes)
        self._flags = before
        if number is not None:
            self._groups[number] = 0
            for mask in self._made.classes[known:]:
                self._groups[number] |= mask
        return inside

    def _repeated(self, low: int, high: int, nodes: Any) -> Fragment:
        is_short = high <= _MOST_COPIES or nodes[0][0] in _CHARACTERS
        if high <= 1 or (low == high and is_short):
            copies = [self._sequence(nodes) for _ in range(min(high, _MOST_COPIES))]
        else:
            copies = [self._sequence(nodes) for _ in range(min(max(low - 1, 0), _MOST_COPIES - 1))]
            copies.append(self._loop(self._sequence(nodes)))
        if low == 0 and copies:
            copies[0].empty = [Empty()]
        whole = Fragment(empty=[Empty()])
        for copy in copies:
            whole = self._concatenated(whole, copy)
        return whole

    def _never_returned_to(self, low: int, high: int, nodes: Any) -> Fragment:
        """After a possessive repeat of one class comes none of its characters; others are taken for usual ones."""
        whole = self._repeated(low, high, nodes)
        nodes = _without_groups(nodes)
        if high is not op.MAXREPEAT or len(nodes) != 1 or nodes[0][0] not in _CHARACTERS:
            return whole
        mask = self._class(nodes[0])
        whole.last = [end._replace(excluded=end.excluded | mask) for end in whole.last]
        whole.empty = [way._replace(excluded=way.excluded | mask) for way in whole.empty]
        return whole

    def _atomic(self, nodes: Any) -> Fragment:
        if len(nodes) == 1 and nodes[0][0] is op.MAX_REPEAT:
            return self._never_returned_to(*nodes[0][1])
        return self._sequence(nodes)

    def _loop(self, body: Fragment) -> Fragment:
        """Once or more."""
        self._made.join(body.last, body.first)
        return Fragment(body.first, body.last, body.empty[:1])

    def _concatenated(self, left: Fragment, right: Fragment) -> Fragment:
        self._made.join(left.last, right.first)
        return Fragment(
            _few([*left.first, *(_beyond(end, way) for way in left.empty for end in right.first)]),
            _few([*right.last, *(_beyond(end, way) for way in right.empty for end in left.last)]),
            _few([_both(one, other) for one in left.empty for other in right.empty]),
        )


def _beyond(end: End, way: Empty) -> End:
    return End(end.position, end.excluded | way.excluded, end.is_certain and way.is_certain)


def _both(one: Empty, other: Empty) -> Empty:
    return Empty(one.excluded | other.excluded, one.is_certain and other.is_certain)


def _few(ends: list[Any]) -> list[Any]:
    return [end for index, end in enumerate(ends) if ends[:index].count(end) < _MOST_WAYS]


def _either(fragments: Iterable[Fragment]) -> Fragment:
    whole = Fragment()
    for one in fragments:
        whole.first += one.first
        whole.last += one.last
        whole.empty += one.empty
    return Fragment(_few(whole.first), _few(whole.last), _few(whole.empty))


def _without_groups(nodes: Any) -> Any:
    while len(nodes) == 1 and nodes[0][0] is op.SUBPATTERN and not any(nodes[0][1][1:3]):
        nodes = nodes[0][1][3]
    return nodes


def _is_anchored(nodes: Sequence[Any]) -> bool:
    if not len(nodes):
        return False
    name, argument = nodes[0]
    match name:
        case op.AT:
            return argument in (op.AT_BEGINNING, op.AT_BEGINNING_STRING)
        case op.SUBPATTERN:
            return _is_anchored(argument[3])
        case op.ATOMIC_GROUP:
            return _is_anchored(argument)
        case op.BRANCH:
            return all(_is_anchored(branch) for branch in argument[1])
        case _:
            return False


def _alphabet(parsed: Any, *, is_text: bool) -> str:
    codes = [*map(ord, _READABLE), *range(256)]
    if is_text:
        mentioned = {code + near for code in _codes(parsed) for near in (-1, 0, 1)}
        codes += [*map(ord, _BEYOND_LATIN), *(code for code in mentioned if 0 <= code <= 0x10FFFF)]
    return "".join(map(chr, dict.fromkeys(codes)))


def _codes(node: Any) -> Iterable[int]:
    """Every number in it, among which are the characters that it mentions."""
    if isinstance(node, int):
        return [] if isinstance(node, op._NamedIntConstant) else [node]
    if isinstance(node, list | tuple | parser.SubPattern):
        return [code for part in node for code in _codes(part)]
    return []
