"""Organisers' Markdown: what it becomes, and what can never come out of it."""

from __future__ import annotations

import pytest

from app.pages.markdown import html

AT = "/fr/challenges/tiny"


def made(text: str, path: str = "pages/overview.fr.md") -> str:
    return str(html(text, at=AT, path=path)).strip()


def test_the_highest_heading_is_h2_and_none_is_skipped() -> None:
    assert made("# A\n\n## B\n\n###### C") == "<h2>A</h2>\n<h3>B</h3>\n<h6>C</h6>"
    assert made("### A\n\n#### B") == "<h2>A</h2>\n<h3>B</h3>"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "![a](javascript:alert(1))",
        "<style>body{display:none}</style>",
        '<p style="color:red" class="x" onclick="y()">a</p>',
        "<iframe src='https://example.org'></iframe>",
    ],
)
def test_nothing_that_runs_comes_out(text: str) -> None:
    found = made(text)
    assert "<script" not in found and "<img" not in found and "<iframe" not in found and "<style" not in found
    assert 'href="javascript' not in found and 'href="data:' not in found
    assert "<p style" not in found and "<p class" not in found


@pytest.mark.parametrize(
    "src",
    [
        "https://example.org/a.png",
        "//example.org/a.png",
        "/a.png",
        "data:image/png;base64,AA",
        "../../secret.png",
        "a.txt",
    ],
)
def test_a_picture_from_elsewhere_becomes_its_description(src: str) -> None:
    assert made(f"![une cellule]({src})") == "<p>une cellule</p>"


@pytest.mark.parametrize(
    ("src", "target"),
    [
        ("public/images/a.png", "public/images/a.png"),
        ("../public/a.png", "public/a.png"),
        ("figure.svg", "pages/figure.svg"),
        ("./figure 1.png", None),
        ("public/une%20image.png", "public/une%20image.png"),
    ],
)
def test_pictures_of_the_folder_come_from_our_own_route(src: str, target: str | None) -> None:
    expected = f'<p><img src="{AT}/media/{target}" alt="a"></p>'
    assert made(f"![a]({src})") == (expected if target else "<p>![a](./figure 1.png)</p>")


def test_links_lead_to_pages_files_and_the_world() -> None:
    assert f'href="{AT}/data"' in made("[données](data.fr.md)")
    assert f'href="{AT}"' in made("[présentation](overview.fr.md)")
    assert f'href="{AT}/files/public/cases.csv"' in made("[cas](../public/cases.csv)")
    assert 'href="https://example.org/x" rel="noopener noreferrer"' in made("[x](https://example.org/x)")
    assert f'href="{AT}/files/documents/b.pdf"' in made("[b](b.pdf)", "documents/rules.fr.md")


def test_tables_scroll_by_keyboard_and_have_scopes() -> None:
    found = made("| | b |\n|---|--:|\n| 1 | 2 |")
    assert found.startswith('<div class="scroll" tabindex="0"><table>')
    assert "<td></td>" in found and '<th scope="col">b</th>' in found and "style=" not in found
