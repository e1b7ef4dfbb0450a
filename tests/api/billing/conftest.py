"""What these tests share with others."""

from tests.billing.conftest import shopping
from tests.store.conftest import storefront

__all__ = ["shopping", "storefront"]
