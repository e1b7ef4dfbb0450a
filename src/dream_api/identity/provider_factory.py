"""Opens the sign-in provider; imports its libraries only where one is configured."""

from dream_api.identity.provider import Provider


def open_provider(issuer: str, client_id: str, client_secret: str, name: str, *, redirect_url: str) -> Provider:
    """An OpenID Connect provider; no request is sent before somebody signs in."""
    # The HTTP and JWT libraries take five megabytes.
    from dream_api.identity.oidc import OpenIdProvider  # noqa: PLC0415

    return OpenIdProvider(issuer, client_id, client_secret, name, redirect_url=redirect_url)
