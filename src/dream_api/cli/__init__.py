"""`dream-api …`: one module per noun."""
