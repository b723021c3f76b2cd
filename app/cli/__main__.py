"""`python -m app.cli` is `arbitre`."""

from app.cli.main import main

main()
