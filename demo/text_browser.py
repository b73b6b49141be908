# SPDX-License-Identifier: EUPL-1.2
"""A browser for demos without a display: pages as text, one cookie file, nothing more.

`python -m demo.text_browser COOKIES URL` opens a page in the same session; the demo makes it the default browser.
"""

from __future__ import annotations

import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import httpx

_SILENT = {"style", "script", "head", "svg"}


class _Page(HTMLParser):
    """Collects a page's links and its text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.words: list[str] = []
        self._silent = 0
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note a link's address, and the beginning of what is not text."""
        self._silent += tag in _SILENT
        target = dict(attributes).get("href")
        if tag == "a" and target:
            self.links.append(target)

    def handle_endtag(self, tag: str) -> None:
        """Note the end of what is not text."""
        self._silent -= tag in _SILENT

    def handle_data(self, data: str) -> None:
        """Keep text that a person would read."""
        if not self._silent and data.strip():
            self.words.append(" ".join(data.split()))


class TextBrowser:
    """One browsing session, kept in a file between pages and between processes."""

    def __init__(self, cookies: Path) -> None:
        """Go on with the session in `cookies`, or begin one there."""
        self._file = cookies

    def get(self, url: str) -> list[str]:
        """Open a page and return its text, one item for each piece."""
        with self._client() as client:
            return self._finish(client, client.get(url)).words

    def press(self, url: str, **form: str) -> list[str]:
        """Press a button of a form and return the links of the page that follows."""
        origin = str(httpx.URL(url).copy_with(path="/")).rstrip("/")
        with self._client() as client:
            return self._finish(client, client.post(url, data=form, headers={"Origin": origin})).links

    def _client(self) -> httpx.Client:
        kept = json.loads(self._file.read_text()) if self._file.exists() else {}
        return httpx.Client(cookies=kept, follow_redirects=True, trust_env=False, timeout=10)

    def _finish(self, client: httpx.Client, response: httpx.Response) -> _Page:
        cookies = {cookie.name: cookie.value for cookie in client.cookies.jar}
        self._file.touch(mode=0o600)
        self._file.write_text(json.dumps(cookies))
        return _Page(response.text)


def main() -> int:
    """Open one page and print it."""
    browser = TextBrowser(Path(sys.argv[1]))
    print("  | " + "\n  | ".join(browser.get(sys.argv[2])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
