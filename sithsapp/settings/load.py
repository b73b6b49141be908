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
        forbidding = "allow_environment_choice"
        if name == "environment" and not self.settings.allow_environment_choice and self.locked(forbidding):
            return True
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
    _drop_forbidden_choice(values, authorities)
    return Resolved(_convert(values, "all sources together"), authorities, tuple(problems))


def _checked(source: Source) -> Mapping[str, object]:
    values = source.read()
    check(values, source.authority, source.name)
    return values


def check(values: Mapping[str, object], authority: Authority, name: str) -> None:
    """Raise `SithsError(SETTINGS_INVALID)` unless a source of that authority, called `name`, may set `values`."""
    settings = _convert(values, name)
    if authority <= Authority.USER:
        _check_user_services(settings.services, name)


def _drop_forbidden_choice(values: dict[str, object], authorities: dict[str, Authority]) -> None:
    """Forget the environment that a user chose where the organisation does not let her choose."""
    chosen_by_user = authorities.get("environment") is Authority.USER
    if chosen_by_user and _choice_is_forbidden(values, authorities):
        log.warning("the user's environment is left out: the organisation does not allow the choice")
        del values["environment"], authorities["environment"]


def _choice_is_forbidden(values: Mapping[str, object], authorities: Mapping[str, Authority]) -> bool:
    by = authorities.get("allow_environment_choice", Authority.DEFAULT)
    return by > Authority.USER and values["allow_environment_choice"] is False


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
