"""The templates, once per language."""

from __future__ import annotations

import hashlib
from functools import cache, partial

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.http.language import LANGUAGES, translations
from app.pages import formats, words
from app.settings import PROJECT

TEMPLATES = PROJECT / "web" / "templates"
STATIC = PROJECT / "web" / "static"
NAMES = {"en": "English", "fr": "Français"}
"""Each language by its own name."""


@cache
def environment(language: str) -> Environment:
    """The templates in a language. Everything is escaped; a name that is not there is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    other = next(one for one in LANGUAGES if one != language)
    made.globals.update(
        language=language,
        base=f"/{language}",
        other=other,
        colon="\u00a0: " if language == "fr" else ": ",
        other_name=NAMES[other],
        stylesheet=f"/static/arbitre.css?v={_digest('arbitre.css')}",
        words=words,
        place_of=partial(formats.place_of, language=language),
    )
    for name in ("number", "percent", "size", "moment", "exact_moment", "short_moment", "clock"):
        made.filters[name] = partial(getattr(formats, name), language=language)
    made.filters["upfirst"] = lambda text: text[:1].upper() + text[1:]
    made.filters["say"] = translations(language).gettext
    return made


def _digest(name: str) -> str:
    """Changes with the file, so that browsers may keep it for ever."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:16]
