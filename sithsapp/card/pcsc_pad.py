# SPDX-License-Identifier: EUPL-1.2
"""Which PC/SC readers have keys for codes, asked once for each reader that is plugged in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from sithsapp.card.part10 import Feature, Properties, parse_features, parse_properties
from sithsapp.card.pin import MAX_PIN_LENGTH
from sithsapp.card.pin_pad import PinPad
from sithsapp.card.pin_pad_list import denial_of
from sithsapp.failures import SithsError

_log = logging.getLogger(__name__)

Control = Callable[[int, bytes], bytes | None]
"""Sends a control code with data to the reader; returns the answer, or None where the reader does not know it."""

_MIN_SENSIBLE: Final = 4


@dataclass(frozen=True, slots=True)
class FoundPad:
    """The keys of a reader with the control codes of its features; `modify` is None where they take no new code."""

    pad: PinPad
    verify: int
    modify: int | None


class PadBook:
    """What is known of the readers' keys. Thread-safe: every step is one dictionary operation."""

    def __init__(self, get_features: int) -> None:
        """Ask readers with the control code `get_features`, which differs between platforms."""
        self._get_features = get_features
        self._known: dict[str, FoundPad | None] = {}
        self._lock = threading.Lock()

    def find(self, reader: str, control: Control) -> FoundPad | None:
        """Return a reader's keys, asked for if need be; None for one without, or that is not believed.

        A reader that cannot be asked just now is asked again the next time.
        """
        with self._lock:
            if reader in self._known:
                return self._known[reader]
        try:
            found = _ask(reader, control, self._get_features)
        except SithsError as error:
            _log.info("the features of %s are not known yet: %s", reader, error)
            return None
        with self._lock:
            return self._known.setdefault(reader, found)

    def distrust(self, reader: str) -> None:
        """Take a reader for one without keys until it is plugged in again: it refused what it offered."""
        with self._lock:
            self._known[reader] = None

    def keep(self, readers: Iterable[str]) -> None:
        """Forget the readers that are gone."""
        present = set(readers)
        with self._lock:
            self._known = {reader: pad for reader, pad in self._known.items() if reader in present}


def _ask(reader: str, control: Control, get_features: int) -> FoundPad | None:
    features = parse_features(control(get_features, b"") or b"")
    verify = features.get(Feature.VERIFY_PIN_DIRECT)
    if verify is None:
        return None
    properties = Properties()
    if Feature.GET_TLV_PROPERTIES in features:
        properties = parse_properties(control(features[Feature.GET_TLV_PROPERTIES], b"") or b"")
    denial = denial_of(reader, properties)
    if denial is not None and not denial.changes_only:
        _log.info("the keys of %s are not used: %s", reader, denial.reason)
        return None
    modify = None if denial is not None else features.get(Feature.MODIFY_PIN_DIRECT)
    _log.info("%s has keys for codes%s", reader, "" if modify is None else ", for new ones too")
    longest = properties.max_digits if _MIN_SENSIBLE <= properties.max_digits <= MAX_PIN_LENGTH else MAX_PIN_LENGTH
    return FoundPad(PinPad(modify is not None, min(properties.min_digits, longest), longest), verify, modify)
