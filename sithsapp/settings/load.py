# SPDX-License-Identifier: EUPL-1.2
"""Merge the sources into one `Settings` by authority, and know who set what."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from sithsapp.failures import Failure, SithsError
from sithsapp.settings import profile
from sithsapp.settings.schema import Settings, TrustedService
from sithsapp.settings.sources import Authority, Source

log = logging.getLogger(__name__)

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1"})


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings in force, who set each of them, and what was wrong with the user's own file."""

    settings: Settings
    authorities: Mapping[str, Authority]
    problems: tuple[SithsError, ...] = ()

    def locked(self, name: str) -> bool:
        """Tell whether the organisation set this setting, so that the user cannot."""
        return self.authorities.get(name, Authority.DEFAULT) > Authority.USER


def load(sources: Iterable[Source]) -> Resolved:
    """Return the settings that `sources` make together.

    A fault in what the organisation set raises `SithsError(SETTINGS_INVALID)`; a fault in the user's own source
    is told in `problems` and the source is left out, so that a typing error locks nobody out.
    """
    values: dict[str, object] = {}
    authorities: dict[str, Authority] = {}
    problems: list[SithsError] = []
    for source in sorted(sources, key=lambda each: each.authority):
        try:
            found = _checked(source)
        except SithsError as error:
            if source.authority > Authority.USER:
                raise
            problems.append(error)
            log.warning("settings left out: %s", error)
            continue
        values.update(found)
        authorities.update(dict.fromkeys(found, source.authority))
    return Resolved(_convert(values, "all sources together"), authorities, tuple(problems))


def _checked(source: Source) -> Mapping[str, object]:
    values = source.read()
    settings = _convert(values, source.name)
    if source.authority <= Authority.USER:
        _check_user_services(settings.services, source.name)
    return values


def _convert(values: Mapping[str, object], name: str) -> Settings:
    try:
        settings = msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise SithsError(Failure.SETTINGS_INVALID, f"{name}: {error}") from error
    if settings.environment not in profile.ENVIRONMENTS:
        raise SithsError(Failure.SETTINGS_INVALID, f"{name}: this package has no such environment")
    return settings


def _check_user_services(services: Iterable[TrustedService], name: str) -> None:
    """Let a user add the demo on this computer and nothing else: trust comes from the organisation."""
    for service in services:
        if service.environment != "demo" or urlsplit(service.origin).hostname not in _LOOPBACK_NAMES:
            why = "a user's own file may name demo services on this computer only"
            raise SithsError(Failure.SETTINGS_INVALID, f"{name}: services: {why}")
