# SPDX-License-Identifier: EUPL-1.2
"""The demonstration's texts in Swedish and English."""

from __future__ import annotations

import functools
import gettext
from pathlib import Path
from typing import Final

LOCALE_DIRECTORY: Final = Path(__file__).parent.parent / "locale"
DOMAIN: Final = "authservice"
LANGUAGES: Final = {"sv": "Svenska", "en": "English"}
DEFAULT_LANGUAGE: Final = "sv"


class Texts:
    """Texts of one language; English texts are the message ids."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else DEFAULT_LANGUAGE
        self._catalogue = _catalogue(self.language)

    def __call__(self, message: str, **values: object) -> str:
        """Translate `message` and put values into its `{name}` places."""
        text = self._catalogue.gettext(message)
        return text.format(**values) if values else text


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE_DIRECTORY, languages=[language], fallback=True)
