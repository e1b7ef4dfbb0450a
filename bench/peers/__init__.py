"""The metered call against what people would use instead: `make bench-peers`.

Every folder here is one peer: what serves its calls, and in `__init__.py` how it is started and what it has stored.
`bench/README.md` says what is compared, and what is not.
"""
