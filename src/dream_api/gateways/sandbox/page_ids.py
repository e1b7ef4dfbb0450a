"""Ids of the sandbox's pages: secrets that let their owner pay, or manage a customer's subscriptions."""

import secrets

CHECKOUT, PORTAL = "cs_test_", "bps_"
_PATHS = {CHECKOUT: "checkout", PORTAL: "portal"}
_RANDOM_BYTES = 32
_RANDOM_LENGTH = 43


def new_id(prefix: str, account_id: str) -> str:
    """An id that nobody guesses. It ends with the account's, so that it is found without knowing whose it is."""
    return f"{prefix}{secrets.token_urlsafe(_RANDOM_BYTES)}{account_id}"


def account_in(prefix: str, page_id: str) -> str:
    """The account's id; empty where the text has not the form of such an id."""
    return page_id.removeprefix(prefix)[_RANDOM_LENGTH:] if page_id.startswith(prefix) else ""


def link_to(link_base: str, prefix: str, page_id: str) -> str:
    return f"{link_base}/sandbox/{_PATHS[prefix]}/{page_id}"
