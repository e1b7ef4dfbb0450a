"""The ground floor: it knows nothing of the product."""
