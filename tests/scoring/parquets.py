"""Parquet files for tests; every test that needs one is skipped, and named, where pyarrow is not installed."""

import io
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: tests of Parquet not run")

import pyarrow
import pyarrow.parquet

__all__ = ["parquet", "pyarrow"]


def parquet(columns: "dict[str, Any] | pyarrow.Table", **options: Any) -> bytes:
    """A Parquet file of these columns, by name, or of an Arrow table."""
    buffer = io.BytesIO()
    table = pyarrow.table(columns) if isinstance(columns, dict) else columns
    pyarrow.parquet.write_table(table, buffer, **options)
    return buffer.getvalue()
