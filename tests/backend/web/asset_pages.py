"""The pages of one book of the example site, and how a test reads them."""

import re
from html.parser import HTMLParser
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from backend import site
from backend.api.services import Services
from backend.book import schema
from backend.book.db import open_engine, read
from backend.book.migrations import migrate
from backend.step import DAY_US
from backend.telemetry.store import Reader
from tests.backend.books import SITE
from tests.shared_app import shared_app

NOW = 1_795_424_400_000_000
SECOND = 1_000_000
XSS = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
HTMX = {"hx-request": "true"}
VOID = {"meta", "link", "img", "br", "input"}


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and whether it nests."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags_of(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    assert parser.open == []
    return parser.found


def make(folder: Path) -> Engine:
    book = open_engine("sqlite", folder / "book.db")
    migrate(book)
    site.apply(book, SITE, NOW - 60 * DAY_US, "test")
    return book


class Pages:
    """The pages of one book, and a clock that the test moves."""

    def __init__(self, book: Engine, telemetry: Reader | None) -> None:
        self.book, self.now = book, NOW
        services = Services(book, lambda: self.now, lambda *_given: True, telemetry=telemetry)
        app = shared_app(services, pages=True)
        self.client = TestClient(app, "http://127.0.0.1:8000", follow_redirects=False)

    def get(self, path: str, status: int = 200) -> str:
        found = self.client.get(path)
        assert found.status_code == status, found.text[:500]
        return found.text

    def post(self, path: str, **fields: str) -> str:
        found = self.client.post(path, data=fields, headers=HTMX)
        assert found.status_code == 200, found.text[:500]
        return found.text

    def alert(self, title: str) -> str:
        with read(self.book) as tx:
            found = tx.scalar(select(schema.alert.c.id).where(schema.alert.c.title == title))
        assert found is not None
        return str(found)


def row(text: str, ident: str) -> str:
    """What the list says of one asset, as text."""
    found = re.search(f'<tr id="line-{ident}">.*?</tr>', text, re.DOTALL)
    assert found is not None
    return " ".join(re.sub("<[^>]+>", " ", found[0]).split())
