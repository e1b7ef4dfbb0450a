"""`/account/…`: where developers sign up and in, and look after their accounts."""

from dream_api.accounts.views import account, changes, factor, oidc, operator, reset, sign_in, sign_up, tokens, verify

ROUTERS = (
    sign_up.router,
    sign_in.router,
    verify.router,
    reset.router,
    account.router,
    changes.router,
    factor.router,
    tokens.router,
    oidc.router,
    operator.router,
)
