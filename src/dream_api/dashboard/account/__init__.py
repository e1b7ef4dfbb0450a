"""`/account/…`: sign-up, sign-in and account settings of developers."""

from dream_api.dashboard.account import (
    email_verification,
    oidc,
    operator_setup,
    overview,
    password_reset,
    profile,
    sign_in,
    sign_up,
    tokens,
    two_factor,
)

ROUTERS = (
    sign_up.router,
    sign_in.router,
    email_verification.router,
    password_reset.router,
    overview.router,
    profile.router,
    two_factor.router,
    tokens.router,
    oidc.router,
    operator_setup.router,
)
