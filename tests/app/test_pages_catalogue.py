"""Every message of the code has a French text of its own, with the same placeholders and French spacing."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from app.http.language import catalogue

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", ROOT / ".ci" / "messages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def french() -> Catalog:
    with catalogue("fr").open("rb") as file:
        return read_po(file, locale="fr", abort_invalid=True)


def _pairs(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """(message, French text), plural forms apart."""
    for message in catalog:
        if isinstance(message.id, str):
            yield message.id, str(message.string)
        else:
            yield from zip(message.id, message.string or (), strict=True)


def _key(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def test_the_catalogue_holds_exactly_the_messages_of_the_code(french: Catalog) -> None:
    template = _script().template()
    assert {_key(message) for message in french if message.id} == {_key(message) for message in template if message.id}


def test_no_message_is_empty_or_fuzzy(french: Catalog) -> None:
    assert [message for message, text in _pairs(french) if message and not text] == []
    assert [message.id for message in french if message.id and message.fuzzy] == []


def test_placeholders_are_the_same(french: Catalog) -> None:
    wrong = [
        message
        for message, text in _pairs(french)
        if set(PLACEHOLDER.findall(message)) != set(PLACEHOLDER.findall(text))
    ]
    assert wrong == []


def test_french_spacing(french: Catalog) -> None:
    """A no-break space before : ; ? ! and inside «  »; a typographic apostrophe between letters."""
    texts = [text for message, text in _pairs(french) if message]
    assert [text for text in texts if re.search(r" [:;?!»]|« ", text)] == []
    assert [text for text in texts if re.search(r"[A-Za-zÀ-ÿ]'[A-Za-zÀ-ÿ]", text)] == []
