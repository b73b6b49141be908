# SPDX-License-Identifier: EUPL-1.2
"""Giving browsers trust in the local proxy, seeing it and taking it back: what a window and the terminal offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.local_store import LocalCertificate, LocalStore
from sithsapp.mtls.own_browser import profile_of
from sithsapp.mtls.trust import StoreReport, TrustStore, look, system_stores, trust, untrust
from sithsapp.settings.schema import Mtls


@dataclass(frozen=True, slots=True)
class TrustOverview:
    """How things are. `certificate` is None before there is one; `file` holds its authority for other programs.

    `ends_soon`: it is time to give trust anew.
    """

    hosts: tuple[str, ...]
    certificate: LocalCertificate | None
    file: Path | None
    ends_soon: bool
    stores: tuple[StoreReport, ...]

    @property
    def complete(self) -> bool:
        """Whether every store trusts what is in use, and nothing else of ours."""
        return self.certificate is not None and all(
            each.trusted and not each.stale and each.failure is None for each in self.stores
        )


class BrowserTrust:
    """Trust of some stores in the proxy for some hosts. Every call may take seconds."""

    def __init__(self, hosts: Sequence[str], store: LocalStore, stores: Sequence[TrustStore]) -> None:
        """Manage `stores`; `store` keeps the proxy's certificate."""
        self._hosts = tuple(dict.fromkeys(hosts))
        self._store, self._stores = store, tuple(stores)

    @property
    def store_names(self) -> tuple[str, ...]:
        """What would be changed, in words."""
        return tuple(each.name for each in self._stores)

    def look(self, at: datetime | None = None) -> TrustOverview:
        """Change nothing and return how things are."""
        found = self._store.suitable(self._hosts, at) if self._hosts else None
        present = None if found is None else found.authority
        return self._overview(found, look(self._stores, present, self._store.authorities()), at)

    def give(self, at: datetime | None = None) -> TrustOverview:
        """Let all stores trust the proxy for exactly the hosts, and no authority of ours before.

        A running proxy uses a certificate that is new from its next connection on. Raises `SithsError`:
        SERVER_NOT_LISTED without hosts, LOCAL_CERTIFICATE_NOT_STORED.
        """
        if not self._hosts:
            raise SithsError(Failure.SERVER_NOT_LISTED, "no target has the mode browser")
        found = self._store.ensure(self._hosts, at)
        if found.ends_soon(at or datetime.now(UTC)):
            found = self._store.renew(self._hosts, at)
        reports = trust(self._stores, found.authority, self._store.authorities())
        if _all_well(reports):
            self._forget(keep=found.authority)
        return self._overview(found, reports, at)

    def take_back(self) -> TrustOverview:
        """Take every authority of ours out of all stores, and remove the proxy's certificate and key.

        Raises `SithsError(LOCAL_CERTIFICATE_NOT_STORED)`.
        """
        reports = untrust(self._stores, self._store.authorities())
        try:
            self._store.remove()
        except OSError as error:
            raise SithsError(Failure.LOCAL_CERTIFICATE_NOT_STORED, f"{error.filename}: {error.strerror}") from error
        if _all_well(reports):
            self._forget(keep=None)
        return self._overview(None, reports, None)

    def _forget(self, *, keep: bytes | None) -> None:
        """Forget authorities that no store trusts any more; what a store could not give up is remembered."""
        for authority in self._store.authorities():
            if authority != keep:
                self._store.forget(authority)

    def _overview(
        self, found: LocalCertificate | None, reports: tuple[StoreReport, ...], at: datetime | None
    ) -> TrustOverview:
        file = None if found is None else self._store.authority_file(found.authority)
        soon = found is not None and found.ends_soon(at or datetime.now(UTC))
        return TrustOverview(self._hosts, found, file, soon, reports)


def of_this_user(settings: Mtls, directory: Path) -> BrowserTrust:
    """Return what manages the trust of this user's browsers in the proxy that keeps its files in `directory`.

    Raises `SithsError(TRUST_TOOL_MISSING)`.
    """
    stores = system_stores([profile_of("firefox", directory)])
    return BrowserTrust([target.host for target in settings.for_browsers], LocalStore(directory), stores)


def _all_well(reports: Sequence[StoreReport]) -> bool:
    return all(each.failure is None for each in reports)
