"""Rounding of money to whole minor units."""


def divide_rounded(amount: int, whole: int) -> int:
    """The quotient as the nearest whole number; a half goes away from zero."""
    quotient = (2 * abs(amount) + whole) // (2 * whole)
    return quotient if amount >= 0 else -quotient
