"""The mutations of each area, and a seeded choice of them."""

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = Path("src/dream_api")


@dataclass(frozen=True, slots=True)
class Area:
    """What is changed, by patterns of files, and the folders of tests that should notice, the quickest first."""

    files: tuple[str, ...]
    folders: tuple[str, ...]


AREAS = {
    "admission": Area(
        ("usage/admission.py", "usage/windows.py", "usage/counters.py", "usage/reservations.py"),
        ("tests/metering", "tests/usage"),
    ),
    "proration": Area(
        ("catalog/proration.py", "gateways/sandbox/plan_changes.py", "billing/subscription_changes.py"),
        ("tests/catalog", "tests/gateways", "tests/billing", "tests/api/billing"),
    ),
    "permissions": Area(
        ("platforms/permissions.py", "platforms/members.py", "platforms/invitations.py"),
        ("tests/platforms", "tests/tenancy", "tests/auth", "tests/dashboard", "tests/isolation"),
    ),
    "stock": Area(
        ("store/stock_holds.py", "store/inventory.py", "store/inventory_queries.py"), ("tests/store", "tests/api/store")
    ),
    "tenancy": Area(("**/*.py",), ("tests/tenancy", "tests/isolation", "tests/api", "tests/dashboard")),
}
# Filters by these are the boundary between tenants.
_BOUNDARY = ("platform_no", "platform")


@dataclass(frozen=True, slots=True)
class Mutation:
    area: str
    file: Path
    line: int
    # Where the text is, in bytes.
    start: int
    end: int
    before: str
    after: str

    def apply(self, root: Path) -> None:
        path = root / self.file
        content = path.read_bytes()
        assert content[self.start : self.end].decode() == self.before
        path.write_bytes(content[: self.start] + self.after.encode() + content[self.end :])

    def folders(self) -> list[str]:
        """Those of its own package's tests first, where there are some."""
        package = self.file.relative_to(SOURCE).parts[0]
        own = [f"tests/{package}"] if (ROOT / "tests" / package).is_dir() else []
        return list(dict.fromkeys([*own, *AREAS[self.area].folders]))

    def __str__(self) -> str:
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.area:11} {self.file.relative_to(SOURCE)}:{self.line}  {before}  →  {after}"


# What may be changed.

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATIONS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}
FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}


def changed(node: ast.expr) -> ast.expr | None:
    """The expression with one small mistake in it; None where none is known."""
    after: ast.expr | None = None
    match node:
        case ast.Compare(left, [operator], right) if type(operator) in COMPARISONS:
            after = ast.Compare(left, [COMPARISONS[type(operator)]()], right)
        case ast.BinOp(left, operator, right) if type(operator) in OPERATIONS:
            after = ast.BinOp(left, OPERATIONS[type(operator)](), right)
        case ast.BoolOp(operator, values):
            after = ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            after = operand
        case ast.Call(ast.Name(name), arguments, keywords) if name in FUNCTIONS and arguments:
            after = ast.Call(ast.Name(FUNCTIONS[name]), arguments, keywords)
        case ast.Constant(bool(value)):
            after = ast.Constant(not value)
        case ast.Constant(int(value)):
            after = ast.Constant(value + 1)
        case _:
            pass
    return after


def with_another_role(node: ast.Tuple) -> Iterator[ast.Tuple]:
    """A row of the permission table that leaves a role out, or lets one more in."""
    roles = [one.value for one in node.elts if isinstance(one, ast.Constant)]
    more = next((role for role in ("owner", "admin", "member", "viewer") if role not in roles), None)
    for allowed in ([*roles[:-1]], [*roles, more]):
        if allowed and None not in allowed:
            yield ast.Tuple([ast.Constant(role) for role in allowed])


def mutations_of(area: str, file: Path) -> Iterator[Mutation]:
    content = (ROOT / file).read_bytes()
    starts = [0]
    for line in content.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node, after in _changes(area, ast.parse(content)):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        yield Mutation(area, file, node.lineno, start, end, content[start:end].decode(), f"({ast.unparse(after)})")


def _changes(area: str, tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    if area == "tenancy":
        yield from _open_boundaries(tree)
        return
    for node in ast.walk(tree):
        if area == "permissions" and isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
            for row in node.value.values:
                if isinstance(row, ast.Tuple):
                    yield from ((row, after) for after in with_another_role(row))
    for function in _functions(tree):
        for node in _expressions(function.body):
            after = changed(node)
            if after is not None:
                yield node, after


def _open_boundaries(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Filters by the platform that let every platform through: a column is compared with itself."""
    for function in _functions(tree):
        for node in _expressions(function.body):
            match node:
                case ast.Compare(ast.Attribute(attr=column) as left, [ast.Eq()], [right]) if (
                    column in _BOUNDARY and not _is_column(right)
                ):
                    yield node, ast.Compare(left, [ast.Eq()], [left])


def _is_column(node: ast.expr) -> bool:
    """Whether a join compares with it: `p.platform_no`, `tiers.c.platform_no`; `scope.platform_no` is a value."""
    match node:
        case ast.Attribute(ast.Attribute(attr="c")):
            return True
        case ast.Attribute(ast.Name(name)):
            return len(name) == 1
        case _:
            return False


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    nested = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if inner is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node not in nested:
            yield node


def _expressions(statements: Sequence[ast.AST]) -> Iterator[ast.expr]:
    """All but those of assertions, annotations, texts and indexes of types."""
    for statement in statements:
        if isinstance(statement, ast.Assert | ast.JoinedStr):
            continue
        if isinstance(statement, ast.expr):
            yield statement
        for name, value in ast.iter_fields(statement):
            if name in ("annotation", "returns", "slice", "decorator_list"):
                continue
            children = value if isinstance(value, list) else [value]
            yield from _expressions([child for child in children if isinstance(child, ast.AST)])


def drawn(seed: int, count: int) -> list[Mutation]:
    """As many of each area, each in another line; the same seed draws the same ones of the same code."""
    chosen: list[Mutation] = []
    for place, (name, area) in enumerate(AREAS.items()):
        share = count // len(AREAS) + (place < count % len(AREAS))
        files = sorted({path for pattern in area.files for path in (ROOT / SOURCE).glob(pattern)})
        kept = [file.relative_to(ROOT) for file in files if "migrations" not in file.parts]
        found = [mutation for file in kept for mutation in mutations_of(name, file)]
        random.Random(f"{seed} {name}").shuffle(found)
        lines: dict[tuple[Path, int], Mutation] = {}
        for mutation in found:
            lines.setdefault((mutation.file, mutation.line), mutation)
        chosen += list(lines.values())[:share]
    return chosen
