"""The foundation: infrastructure that knows nothing of the product."""
