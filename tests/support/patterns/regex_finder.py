"""Finds every regular expression that a package's modules use, and its method, in their syntax trees.

The patterns are evaluated where they are written. What cannot be is reported, so that no pattern goes untried.
Left out: `pattern` attributes of HTML and what scripts of pages match, which is the browser's work.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Where the flags stand among the arguments.
_FLAGS_AT = {
    "compile": 1,
    "match": 2,
    "fullmatch": 2,
    "search": 2,
    "findall": 2,
    "finditer": 2,
    "split": 3,
    "sub": 4,
    "subn": 4,
}
_METHODS = frozenset(_FLAGS_AT) - {"compile"}
_HARMLESS = frozenset(("Pattern", "Match", "RegexFlag", "escape", "error", "purge"))
# What else makes expressions, of patterns that nothing here reads.
_OTHER_MODULES = frozenset(("fnmatch", "glob", "regex", "re2", "pcre", "sre_compile", "sre_parse"))
_OTHER_CALLS = frozenset(("regexp_match", "regexp_replace", "filterwarnings", "_compile"))
# Fields, parameters and middleware take patterns by these keywords; pydantic and FastAPI search with them.
_KEYWORDS = re.compile(r"pattern|regex|(?:[a-z]+_)++regex")
_FIELDS = frozenset(
    ("Field", "StringConstraints", "constr", "Query", "Path", "Header", "Cookie", "Form", "Body", "File")
)
_SCOPES = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Use:
    """A pattern that is matched by this method at this place."""

    where: str
    pattern: re.Pattern[Any]
    method: str


@dataclass(slots=True)
class Found:
    uses: list[Use] = field(default_factory=list)
    # Places with a pattern that cannot be determined.
    unknown: list[str] = field(default_factory=list)


class Undetermined(Exception):
    pass


def find_patterns(root: Path, package: str) -> Found:
    """Of all modules below the folder, which is the package of this name."""
    modules = [_Module(path, root, package) for path in sorted(root.rglob("*.py"))]
    found = Found()
    for module in modules:
        module.read(modules, found)
    return found


class _Module:
    def __init__(self, path: Path, root: Path, package: str) -> None:
        parts = path.relative_to(root).with_suffix("").parts
        self.name = ".".join((package, *parts)).removesuffix(".__init__")
        self.path = path.relative_to(root.parent)
        self.tree = ast.parse(path.read_text())
        self.nodes = list(ast.walk(self.tree))
        self._parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        # What the module calls `re`, and its functions imported by name.
        self._re: set[str] = set()
        self._functions: dict[str, str] = {}

    def read(self, modules: list["_Module"], found: Found) -> None:
        for node in self.nodes:
            try:
                found.uses += self._patterns_at(node, modules)
            except Undetermined as why:
                found.unknown.append(f"{self._where(node)}: {why}")

    def methods_called(self, name: str, owner: "_Module") -> Iterator[str | None]:
        """By which methods what the owner calls so is used here; None where it is used in another way."""
        names = {name} if self is owner else self._imported_as(name)
        for node in self.nodes:
            match node:
                case ast.Name(ctx=ast.Load(), id=known) if known in names:
                    yield self._method_of(node)
                case ast.Attribute(ctx=ast.Load()) if node.attr == name:
                    yield self._method_of(node)

    def _imported_as(self, name: str) -> set[str]:
        imports = [node for node in self.nodes if isinstance(node, ast.ImportFrom)]
        return {alias.asname or name for node in imports for alias in node.names if alias.name == name}

    def _patterns_at(self, node: ast.AST, modules: list["_Module"]) -> Iterator[Use]:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._imported(node)
            case ast.Name(ctx=ast.Load()) if node.id in self._re:
                self._is_known_use(node)
            case ast.Call():
                yield from self._patterns_of_call(node, modules)
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "pattern":
                        yield self._use(value, "search")
            case ast.ClassDef():
                for name, value in _assigned_in(node):
                    if _KEYWORDS.fullmatch(name):  # such as a path convertor's
                        yield self._use(value, "search")

    def _imported(self, node: ast.Import | ast.ImportFrom) -> None:
        source = node.module if isinstance(node, ast.ImportFrom) else None
        for alias in node.names:
            known_as = alias.asname or alias.name
            if (source or alias.name).partition(".")[0] in _OTHER_MODULES:
                raise Undetermined(f"nothing reads the patterns of {source or alias.name}")
            if source is None and alias.name == "re":
                self._re.add(known_as)
            elif source == "re" and alias.name in _FLAGS_AT:
                self._functions[known_as] = alias.name
            elif source == "re" and alias.name not in _HARMLESS and not hasattr(re.RegexFlag, alias.name):
                raise Undetermined(f"re.{alias.name}")

    def _is_known_use(self, node: ast.Name) -> None:
        parent = self._parents[node]
        if not isinstance(parent, ast.Attribute):
            raise Undetermined("the module re is handed on")
        is_called = isinstance(self._parents[parent], ast.Call) and self._parents[parent].func is parent  # type: ignore[attr-defined]
        if parent.attr in _HARMLESS or hasattr(re.RegexFlag, parent.attr) or (parent.attr in _FLAGS_AT and is_called):
            return
        raise Undetermined(f"re.{parent.attr}")

    def _patterns_of_call(self, call: ast.Call, modules: list["_Module"]) -> Iterator[Use]:
        called = _last_name(call.func)
        function = self._function_of_re(call.func)
        if function is not None:
            yield from self._patterns_of_re(call, function, modules)
        elif called in _OTHER_CALLS:
            raise Undetermined(f"nothing reads the pattern of {called}")
        elif called in _FIELDS and any(keyword.arg is None for keyword in call.keywords):
            raise Undetermined(f"{called}(**…) could hold a pattern")
        else:
            for keyword in call.keywords:
                if keyword.arg is not None and _KEYWORDS.fullmatch(keyword.arg) and not _is_none(keyword.value):
                    yield self._use(keyword.value, "search")

    def _function_of_re(self, called: ast.expr) -> str | None:
        match called:
            case ast.Name():
                return self._functions.get(called.id)
            case ast.Attribute(value=ast.Name(id=name)) if name in self._re and called.attr in _FLAGS_AT:
                return called.attr
            case _:
                return None

    def _patterns_of_re(self, call: ast.Call, function: str, modules: list["_Module"]) -> Iterator[Use]:
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        at = _FLAGS_AT[function]
        written = call.args[0] if call.args else named.get("pattern")
        flags = call.args[at] if len(call.args) > at else named.get("flags")
        if written is None or None in named or any(isinstance(argument, ast.Starred) for argument in call.args):
            raise Undetermined("its arguments are handed on")
        for method in sorted(self._methods_of_compiled(call, modules)) if function == "compile" else [function]:
            yield self._use(written, method, flags)

    def _methods_of_compiled(self, call: ast.Call, modules: list["_Module"]) -> set[str]:
        """By which it is used; all that differ where that cannot be seen."""
        parent = self._parents[call]
        used: set[str | None] = {self._method_of(call)}
        if isinstance(parent, ast.Assign | ast.AnnAssign):
            names = [_last_name(target) for target in getattr(parent, "targets", None) or [parent.target]]
            used = {
                method for name in names for module in modules for method in module.methods_called(name or "", self)
            }
        if not used or None in used:
            used |= {"search", "fullmatch"}
        return {method for method in used if method is not None}

    def _method_of(self, node: ast.expr) -> str | None:
        parent = self._parents[node]
        if isinstance(parent, ast.Attribute) and parent.attr in _METHODS:
            return parent.attr
        return "match" if isinstance(parent, ast.Attribute) and parent.attr in ("pattern", "flags") else None

    def _use(self, written: ast.expr, method: str, flags: ast.expr | None = None) -> Use:
        pattern = self._value(written)
        if isinstance(pattern, str | bytes):
            pattern = re.compile(pattern, 0 if flags is None else self._value(flags))
        if not isinstance(pattern, re.Pattern):
            raise Undetermined(f"{ast.unparse(written)} is no pattern")
        return Use(self._where(written), pattern, method)

    def _value(self, written: ast.expr) -> Any:
        """What the expression gives in its place: names are looked up from the inside to the outside."""
        names = {node.id for node in ast.walk(written) if isinstance(node, ast.Name)}
        known = {name: self._named(name, written) for name in sorted(names)}
        try:
            return eval(compile(ast.Expression(written), str(self.path), "eval"), {**known})
        except Exception as problem:
            raise Undetermined(f"{ast.unparse(written)}: {problem!r}") from problem

    def _named(self, name: str, at: ast.AST) -> Any:
        for scope in self._scopes(at):
            if not any(_binds(node, name) for node in _inside(scope)):
                continue
            assigned = [value for known, value in _assigned_in(scope) if known == name]
            is_only = sum(_binds(node, name) for node in _inside(scope)) == 1
            if isinstance(scope, ast.Module) and is_only and not self._is_looped(name):
                return getattr(importlib.import_module(self.name), name)
            if len(assigned) == 1 and is_only:
                return self._value(assigned[0])
            raise Undetermined(f"{name} depends on what the program does")
        return getattr(importlib.import_module("builtins"), name, None)

    def _is_looped(self, name: str) -> bool:
        """Whether the module's own name is bound in a loop, and so has several values."""
        loops = [node for node in _inside(self.tree) if isinstance(node, ast.For | ast.While)]
        return any(_binds(node, name) for loop in loops for node in _inside(loop))

    def _scopes(self, node: ast.AST) -> Iterator[ast.AST]:
        while (parent := self._parents.get(node)) is not None:
            if isinstance(parent, _SCOPES | _COMPREHENSIONS):
                yield parent
            node = parent

    def _where(self, node: ast.AST) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 0)}"


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """Its nodes, but for those of scopes within it, of which only the names belong to it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES | _COMPREHENSIONS):
            waiting += ast.iter_child_nodes(node)


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(ctx=ast.Store()):
            return node.id == name
        case ast.arg():
            return node.arg == name
        case ast.alias():
            return (node.asname or node.name.partition(".")[0]) == name
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name == name
        case ast.MatchAs() | ast.MatchStar() | ast.ExceptHandler():
            return node.name == name
        case _:
            return False


def _assigned_in(scope: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in _inside(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name, node.value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                assert node.value is not None
                yield name, node.value


def _last_name(node: ast.expr) -> str | None:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case _:
            return None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
