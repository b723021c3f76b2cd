"""The HTML twins of the API, on the same services."""

from fastapi import FastAPI


def install(app: FastAPI) -> None:
    """Add every page."""
