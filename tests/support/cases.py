"""A table of cases as one test, which tries every row and reports all that fail."""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest


def each_case(names: str | Sequence[str], rows: Iterable[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Like `pytest.mark.parametrize`, as one test: the rows share its fixtures, so none may change what others see."""
    columns = names.replace(" ", "").split(",") if isinstance(names, str) else list(names)
    cases = [dict(zip(columns, (row,) if len(columns) == 1 else row, strict=True)) for row in rows]
    assert cases, "A table without rows tests nothing."

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            failures = Failures(len(cases))
            for case in cases:
                with failures.of(case):
                    test(**fixtures, **case)
            failures.report()

        @functools.wraps(test)
        async def run_async(**fixtures: Any) -> None:
            failures = Failures(len(cases))
            for case in cases:
                with failures.of(case):
                    await test(**fixtures, **case)
            failures.report()

        chosen: Any = run_async if inspect.iscoroutinefunction(test) else run
        signature = inspect.signature(test)
        kept = [parameter for name, parameter in signature.parameters.items() if name not in columns]
        chosen.__signature__ = signature.replace(parameters=kept)
        return chosen

    return decorate


class Failures:
    """Collects what fails, so that the rows after it are tried too."""

    def __init__(self, cases: int) -> None:
        self.cases = cases
        self.failures: list[Exception] = []
        self._case: dict[str, Any] = {}

    def of(self, case: dict[str, Any]) -> "Failures":
        self._case = case
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if isinstance(error, pytest.fail.Exception):  # which is no Exception: what `pytest.raises` missed
            error = AssertionError(str(error))
        if not isinstance(error, Exception):
            return False
        error.add_note(f"The case: {_shortened(self._case)}")
        self.failures.append(error)
        return True

    def report(self) -> None:
        if self.failures:
            raise ExceptionGroup(f"{len(self.failures)} of {self.cases} cases failed", self.failures)


def _shortened(case: dict[str, Any]) -> str:
    text = ", ".join(f"{name}={value!r}" for name, value in case.items())
    return text if len(text) <= 500 else f"{text[:500]}…"
