"""Organisers' texts in the reader's language, or in the other one, said so."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy.orm import Session

from app.db.challenges import Document
from app.errors import NotFound
from app.http.language import LANGUAGES
from app.http.transaction import Edge
from app.pages.frame import Frame
from app.pages.markdown import html
from app.services import challenges


@dataclass(frozen=True)
class Text:
    """A text as HTML and the language that it is in."""

    html: Markup
    language: str


def page_text(session: Session, *, edge: Edge, frame: Frame, name: str) -> Text | None:
    """One page of the challenge (overview, data, evaluation, rules); None where the organisers wrote none."""
    for language in sorted(LANGUAGES, key=lambda one: one != edge.language):
        try:
            text = challenges.page(session, challenge=frame.row, name=name, language=language, blobs=edge.blobs)
        except NotFound:
            continue
        return Text(html(text, at=frame.at, path=f"pages/{name}.{language}.md"), language)
    return None


def document_text(session: Session, *, edge: Edge, frame: Frame, document: Document) -> Text:
    """A document that participants accept. Raises NotFound."""
    language = edge.language if edge.language in document.files else "en"
    text = challenges.document_text(session, document=document, language=language, blobs=edge.blobs)
    return Text(html(text, at=frame.at, path=document.files[language]), language)
