"""Who calls: credentials, principals, FastAPI dependencies, CORS and rate limits."""
