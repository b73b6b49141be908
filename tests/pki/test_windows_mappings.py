# SPDX-License-Identifier: EUPL-1.2
"""SSSD's own library as second opinion on how a directory knows a certificate."""

from __future__ import annotations

import ctypes
import re
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.virtual.ca_profile import IssuerProfile
from sithsapp.pki.ad_readiness import LogonCertificate, ad_readiness
from sithsapp.pki.certificate import read_certificate
from sithsapp.pki.parts import take_apart
from sithsapp.pki.windows_names import issuer_and_serial, read_windows_names, subject_key, windows_name
from tests.pki.conftest import People
from tests.pki.reissuing import reissue
from tests.pki.test_ad_readiness import SID, sid_extension

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SSSD is Linux's")

_LIBRARY = "libsss_certmap.so.0"
_ISSUER_AND_SERIAL = "X509:<I>{issuer_dn!ad_x500}<SR>{serial_number!hex_ur}"
_SUBJECT_KEY = "X509:<SKI>{subject_key_id!hex}"
_ESCAPED = re.compile(r"\\([0-9a-f]{2})")


def sssd(data: bytes, template: str) -> str:
    """Return what SSSD makes of a certificate, without the escapes of an LDAP filter."""
    library = ctypes.CDLL(_LIBRARY)
    context, found, domains = ctypes.c_void_p(), ctypes.c_char_p(), ctypes.c_void_p()
    assert library.sss_certmap_init(None, None, None, ctypes.byref(context)) == 0
    try:
        rule = f"LDAPU1:(a={template})".encode()
        assert library.sss_certmap_add_rule(context, 1, b"<ISSUER>.*", rule, None) == 0
        got = library.sss_certmap_get_search_filter(
            context, data, len(data), ctypes.byref(found), ctypes.byref(domains)
        )
        assert got == 0
        assert found.value is not None
        text = found.value.decode()
        library.sss_certmap_free_filter_and_domains(found, domains)
    finally:
        library.sss_certmap_free_ctx(context)
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text.removeprefix("(a=").removesuffix(")"))


def test_siths_certificates(people: People) -> None:
    for profile in IssuerProfile:
        data = people.issue(profile)[0]
        parts = take_apart(data)
        ours = issuer_and_serial(parts) or ""
        assert ours.lower() == sssd(data, _ISSUER_AND_SERIAL).lower()
        assert subject_key(read_windows_names(parts)) == sssd(data, _SUBJECT_KEY)


def test_the_name_of_a_person(people: People) -> None:
    data = people.issue()[0]
    assert windows_name(take_apart(data).subject) == sssd(data, "{subject_dn!ad_x500}")


@pytest.mark.parametrize("number", [1, 0x7F, 0x80, 0x0100, 0xFF01, 2**159 - 1])
def test_serial_numbers(number: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=Utfardare,OU=Enhet,L=Ort,ST=Lan,DC=exempel,DC=test,C=SE")
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(number).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    data = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    ours = (issuer_and_serial(take_apart(data)) or "").partition("<SR>")
    theirs = sssd(data, _ISSUER_AND_SERIAL).partition("<SR>")
    assert ours[2] == theirs[2].lower()
    assert ours[0] == theirs[0]


def test_a_sid(people: People) -> None:
    pki = people.pki
    data = reissue(people.issue()[0], pki.issuer(IssuerProfile.HSA_ID_3), add=[sid_extension()])
    assert sssd(data, "{sid}") == SID
    subject = LogonCertificate(data, read_certificate(data))
    assert SID in {finding.detail for finding in ad_readiness(subject, datetime.now(UTC)).findings}
