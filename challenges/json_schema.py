"""The JSON Schema of challenge.toml, for editors and other programs: `python -m challenges.json_schema` writes it."""

from __future__ import annotations

import json
from pathlib import Path

from challenges.spec import ChallengeSpec

SCHEMA_FILE = Path(__file__).with_name("schema.json")


def schema_text() -> str:
    """The schema (draft 2020-12) as JSON text. It describes the shape; what keys mean for each other is in rules."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ChallengeSpec.model_json_schema(mode="validation"),
        "title": "challenge.toml, spec = 1",
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
