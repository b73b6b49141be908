# SPDX-License-Identifier: EUPL-1.2
"""A test CA in the SITHS manner: root, issuing CAs, revocation. Its keys and register live in one directory."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.virtual import ca_certificates, refuse_in_production
from sithsapp.card.virtual.ca_certificates import Authority, LeafRequest
from sithsapp.card.virtual.ca_profile import ROOT_SLUG, IssuerProfile
from sithsapp.card.virtual.keys import KeyKind, KeyMaker, generate_key, key_from_bytes, key_to_bytes
from sithsapp.card.virtual.store import write_atomically


class Revocation(msgspec.Struct, frozen=True):
    """One revoked certificate."""

    serial: str
    at: datetime


class _Register(msgspec.Struct):
    base_url: str
    issued: dict[str, list[str]] = {}
    revoked: dict[str, list[Revocation]] = {}
    crl_number: int = 0


class VirtualPki:
    """The whole test PKI. Thread-safe, as its server answers in another thread.

    `base_url` is where certificates say that CRL, OCSP and CA certificates are: `{base_url}/crl/{slug}`,
    `/ocsp/{slug}`, `/ca/{slug}`. It may be set anew; certificates issued before keep the old address.
    """

    def __init__(
        self, directory: Path, *, base_url: str, environment: str, make_key: KeyMaker = generate_key
    ) -> None:
        """Open the PKI in `directory`, or begin one there.

        Raises `SithsError(VIRTUAL_CARD_REFUSED)` for the environment "production", `msgspec.MsgspecError` or
        `ValueError` if a file is damaged.
        """
        refuse_in_production(environment)
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._make_key = make_key
        self._lock = threading.RLock()
        self._authorities: dict[str, Authority] = {}
        self._responders: dict[str, Authority] = {}
        self._register = self._read_register(base_url)
        self.base_url = base_url

    @property
    def root(self) -> Authority:
        """The trust anchor."""
        with self._lock:
            if ROOT_SLUG not in self._authorities:
                self._authorities[ROOT_SLUG] = self._load(ROOT_SLUG) or self._make_root()
            return self._authorities[ROOT_SLUG]

    def issuer(self, profile: IssuerProfile) -> Authority:
        """Return an issuing CA, made at first use."""
        with self._lock:
            if profile.slug not in self._authorities:
                self._authorities[profile.slug] = self._load(profile.slug) or self._make_issuer(profile)
            return self._authorities[profile.slug]

    def authority(self, slug: str) -> Authority | None:
        """Return the CA that an address names, or None."""
        if slug == ROOT_SLUG:
            return self.root
        profile = next((profile for profile in IssuerProfile if profile.slug == slug), None)
        return self.issuer(profile) if profile is not None else None

    def responder(self, authority: Authority) -> Authority:
        """Return the CA's OCSP responder, made at first use."""
        slug = f"{authority.slug}-ocsp"
        with self._lock:
            if slug not in self._responders:
                self._responders[slug] = self._load(slug) or self._make_responder(slug, authority)
            return self._responders[slug]

    def issue(self, request: LeafRequest) -> x509.Certificate:
        """Issue a person's certificate."""
        issuer = self.issuer(request.profile)
        certificate = ca_certificates.leaf(issuer, request, self.base_url)
        self._record(issuer.slug, certificate)
        return certificate

    def chain(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """Return the certificate, its issuing CA and the root; raises `KeyError` for a foreign one."""
        return [certificate, self._issuer_of(certificate).certificate, self.root.certificate]

    def revoke(self, certificate: x509.Certificate) -> None:
        """Revoke a certificate of a person or an issuing CA; raises `KeyError` for a foreign one."""
        slug = self._issuer_of(certificate).slug
        with self._lock:
            entry = Revocation(f"{certificate.serial_number:x}", ca_certificates.now())
            self._register.revoked.setdefault(slug, []).append(entry)
            self._save_register()

    def reinstate(self, certificate: x509.Certificate) -> None:
        """Take back a revocation, for tests that go on with the same card."""
        slug = self._issuer_of(certificate).slug
        with self._lock:
            serial = f"{certificate.serial_number:x}"
            left = [entry for entry in self._register.revoked.get(slug, []) if entry.serial != serial]
            self._register.revoked[slug] = left
            self._save_register()

    def revocations(self, slug: str) -> list[Revocation]:
        """Return what the CA has revoked."""
        with self._lock:
            return list(self._register.revoked.get(slug, []))

    def has_issued(self, slug: str, serial: int) -> bool:
        """Tell whether the CA issued a certificate with that serial number."""
        with self._lock:
            return f"{serial:x}" in self._register.issued.get(slug, [])

    def next_crl_number(self) -> int:
        """Return a number higher than that of any CRL before."""
        with self._lock:
            self._register.crl_number += 1
            self._save_register()
            return self._register.crl_number

    def _issuer_of(self, certificate: x509.Certificate) -> Authority:
        for slug in (ROOT_SLUG, *(profile.slug for profile in IssuerProfile)):
            if f"{certificate.serial_number:x}" in self._register.issued.get(slug, []):
                authority = self.authority(slug)
                if authority is not None and authority.certificate.subject == certificate.issuer:
                    return authority
        raise KeyError("not issued here")

    def _make_root(self) -> Authority:
        key = self._make_key(KeyKind.RSA_2048)
        return self._save(Authority(ROOT_SLUG, ca_certificates.root(key), key))

    def _make_issuer(self, profile: IssuerProfile) -> Authority:
        key = self._make_key(KeyKind.RSA_2048)
        certificate = ca_certificates.issuing_ca(self.root, profile.common_name, key, self.base_url)
        self._record(ROOT_SLUG, certificate)
        return self._save(Authority(profile.slug, certificate, key))

    def _make_responder(self, slug: str, authority: Authority) -> Authority:
        key = self._make_key(KeyKind.RSA_2048)
        certificate = ca_certificates.responder(authority, key)
        self._record(authority.slug, certificate)
        return self._save(Authority(slug, certificate, key))

    def _save(self, authority: Authority) -> Authority:
        write_atomically(self._directory / f"{authority.slug}.key", key_to_bytes(authority.key))
        write_atomically(self._directory / f"{authority.slug}.cer", authority.certificate.public_bytes(Encoding.DER))
        return authority

    def _load(self, slug: str) -> Authority | None:
        path = self._directory / f"{slug}.cer"
        if not path.exists():
            return None
        certificate = x509.load_der_x509_certificate(path.read_bytes())
        return Authority(slug, certificate, key_from_bytes((self._directory / f"{slug}.key").read_bytes()))

    def _record(self, slug: str, certificate: x509.Certificate) -> None:
        with self._lock:
            self._register.issued.setdefault(slug, []).append(f"{certificate.serial_number:x}")
            self._save_register()

    def _read_register(self, base_url: str) -> _Register:
        path = self._directory / "register.json"
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=_Register)
        return _Register(base_url)

    def _save_register(self) -> None:
        write_atomically(self._directory / "register.json", msgspec.json.encode(self._register))
