"""Opens what people sign in by elsewhere."""

from dream_api.identity.provider import Provider


def open_provider(issuer: str, client_id: str, client_secret: str, name: str, *, redirect_url: str) -> Provider:
    """Any that speaks OpenID Connect; nothing is asked of it before somebody signs in."""
    # What it is asked with and believed by takes five megabytes, for those only who have a provider.
    from dream_api.identity.oidc import OpenIdProvider  # noqa: PLC0415

    return OpenIdProvider(issuer, client_id, client_secret, name, redirect_url=redirect_url)
