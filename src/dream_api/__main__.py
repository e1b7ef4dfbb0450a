"""`python -m dream_api`."""

from dream_api.cli.main import main

main()
