"""dream-api: API keys, metered limits, customers and billing behind one API."""

__version__ = "0.1.0"
