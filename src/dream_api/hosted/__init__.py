"""Pages that customers see, and those that explain error codes."""

from dream_api.hosted import error_docs, sandbox

ROUTERS = (*sandbox.ROUTERS, error_docs.router)
