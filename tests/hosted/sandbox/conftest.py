"""What these tests share with others."""

from tests.billing.conftest import shopping

__all__ = ["shopping"]
