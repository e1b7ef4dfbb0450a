"""What these tests share with others."""

from tests.api.catalog.conftest import shop

__all__ = ["shop"]
