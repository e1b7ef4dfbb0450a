"""What these tests share with others."""

from tests.api.catalog.conftest import shop
from tests.billing.conftest import shopping
from tests.store.conftest import storefront

__all__ = ["shop", "shopping", "storefront"]
