"""The documents, and what makes some of them from the code: `generate`."""
