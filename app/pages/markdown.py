"""Organisers' Markdown as safe HTML: no raw HTML, no script, no image from anywhere but this challenge."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import quote, unquote, urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
TAGS = {
    *(
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "em",
        "strong",
        "s",
        "hr",
        "br",
    ),
    *("a", "img", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
PICTURES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
PAGE = re.compile(r"pages/(overview|data|evaluation|rules)\.(?:fr|en)\.md")


def html(text: str, *, at: str, path: str) -> Markup:
    """The Markdown file at `path` of the folder as HTML, its first heading level as h2.

    `at` is the address of the challenge, under which its pictures (`media/`), files (`files/`) and pages stand.
    """
    tokens = PARSER.parse(text)
    _shift_headings(tokens)
    _point_home(tokens, at=at, folder=posixpath.dirname(path))
    made = nh3.clean(
        PARSER.renderer.render(tokens, PARSER.options, {}),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        attribute_filter=lambda tag, name, value: _kept(tag, name, value, at),
    )
    made = made.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace("</table>", "</table></div>")
    made = made.replace("<th></th>", "<td></td>")
    return Markup(made.replace("<th>", '<th scope="col">').replace("<pre>", '<pre tabindex="0">'))  # noqa: S704


def _shift_headings(tokens: list[Token]) -> None:
    """The page has its own h1, so the highest heading of the text becomes h2 and the others follow."""
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    top = min((int(token.tag[1]) for token in headings), default=1)
    for token in headings:
        token.tag = f"h{min(int(token.tag[1]) - top + 2, 6)}"


def _point_home(tokens: list[Token], *, at: str, folder: str) -> None:
    """Paths of the challenge folder become addresses; a picture from elsewhere becomes its description."""
    for token in tokens:
        for child in token.children or []:
            if child.type == "image":
                target = _inside(str(child.attrs.get("src", "")), folder)
                if target and posixpath.splitext(target)[1].lower() in PICTURES:
                    child.attrs["src"] = f"{at}/media/{quote(target)}"
                else:
                    child.type, child.content, child.children = "text", child.content, None
            elif child.type == "link_open":
                child.attrs["href"] = _link(str(child.attrs.get("href", "")), at=at, folder=folder)


def _link(href: str, *, at: str, folder: str) -> str:
    target = _inside(href, folder)
    if target is None:
        return href
    page = PAGE.fullmatch(target)
    if page:
        return at if page.group(1) == "overview" else f"{at}/{page.group(1)}"
    return f"{at}/files/{quote(target)}"


def _inside(address: str, folder: str) -> str | None:
    """The path inside the challenge folder that a relative address means, seen from the text's folder or the root."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return None
    path = unquote(parts.path)
    seen = posixpath.normpath(posixpath.join(folder, path) if path.startswith(".") else path)
    if seen.startswith(".."):
        return None
    return seen if "/" in seen else posixpath.join(folder, seen)


def _kept(tag: str, name: str, value: str, at: str) -> str | None:
    if tag == "img" and name == "src":
        return value if value.startswith(f"{at}/media/") else None
    return value
