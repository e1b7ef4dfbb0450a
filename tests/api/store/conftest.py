"""What these tests share with others."""

from tests.store.conftest import shop, storefront

__all__ = ["shop", "storefront"]
