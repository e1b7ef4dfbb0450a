"""`python -m dream_api`."""

from dream_api.cli import main

main()
