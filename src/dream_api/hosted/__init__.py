"""Pages that customers see, and those that explain error codes."""

from dream_api.hosted import checkout_return, error_docs, sandbox

ROUTERS = (*sandbox.ROUTERS, checkout_return.router, error_docs.router)
