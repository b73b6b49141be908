# SPDX-License-Identifier: EUPL-1.2
"""Certificates of every kind that the reader should understand, made at random with `cryptography`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from hypothesis import strategies as st

_NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30).filter(
    lambda text: text.replace("\u00a0", " ").isprintable() and len(text.encode()) <= 64
)
_OIDS = st.lists(st.integers(0, 2**40), min_size=1, max_size=5).map(
    lambda arcs: x509.ObjectIdentifier(".".join(["1.2", *map(str, arcs)]))
)
_URLS = st.from_regex(r"https?://[a-z]{1,10}\.example/[a-z/]{0,10}", fullmatch=True).map(
    x509.UniformResourceIdentifier
)
_UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_CARD_NUMBER = x509.ObjectIdentifier("1.2.752.34.2.1")
_ATTRIBUTES = [NameOID.COMMON_NAME, NameOID.SURNAME, NameOID.GIVEN_NAME, NameOID.ORGANIZATION_NAME]


@cache
def keys() -> list[rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]:
    """Return one key of each kind."""
    curves = [ec.derive_private_key(9, curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())]
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048), *curves]


@st.composite
def _names(draw: st.DrawFn) -> x509.Name:
    attributes = [
        x509.NameAttribute(oid, draw(_NAMES))
        for oid in draw(st.lists(st.sampled_from(_ATTRIBUTES), unique=True, max_size=4))
    ]
    if draw(st.booleans()):
        attributes.append(
            x509.NameAttribute(NameOID.SERIAL_NUMBER, draw(st.from_regex(r"[0-9A-Z-]{1,20}", fullmatch=True)))
        )
    units = [
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in draw(st.lists(_NAMES, max_size=2))
    ]
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "SE"), *units, *attributes])


@st.composite
def _key_usages(draw: st.DrawFn) -> x509.KeyUsage:
    flags = draw(st.lists(st.booleans(), min_size=9, max_size=9).filter(any))
    flags[7] = flags[7] and flags[4]
    flags[8] = flags[8] and flags[4]
    if not any(flags):
        flags[0] = True
    return x509.KeyUsage(*flags)


@st.composite
def _alternative_names(draw: st.DrawFn) -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = [x509.DNSName("a.example"), x509.RFC822Name("a@b.example")]
    if draw(st.booleans()):
        text = draw(_NAMES).encode()[:100].decode(errors="ignore").encode()
        names.append(x509.OtherName(_UPN, bytes([0x0C, len(text)]) + text))
    return x509.SubjectAlternativeName(names)


def _access(urls: list[x509.UniformResourceIdentifier]) -> x509.AuthorityInformationAccess:
    methods = [AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS]
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(methods[number % 2], url) for number, url in enumerate(urls)]
    )


def _policies(oids: list[x509.ObjectIdentifier]) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(oid, ["https://cps.example"] if number else None) for number, oid in enumerate(oids)]
    )


_EXTENSIONS: list[st.SearchStrategy[x509.ExtensionType]] = [
    _key_usages(),
    st.lists(_OIDS, min_size=1, max_size=4, unique=True).map(x509.ExtendedKeyUsage),
    st.lists(_OIDS, min_size=1, max_size=4, unique=True).map(_policies),
    st.booleans().map(lambda ca: x509.BasicConstraints(ca=ca, path_length=2 if ca else None)),
    _alternative_names(),
    st.lists(_URLS, min_size=1, max_size=3).map(_access),
    st.lists(_URLS, min_size=1, max_size=3).map(
        lambda urls: x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None) for url in urls])
    ),
    st.from_regex(r"[0-9]{1,30}", fullmatch=True).map(
        lambda text: x509.UnrecognizedExtension(_CARD_NUMBER, bytes([0x13, len(text)]) + text.encode())
    ),
    st.binary(max_size=20).map(lambda data: x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), data)),
]


@st.composite
def certificates(draw: st.DrawFn) -> bytes:
    """Draw a certificate in DER."""
    key = draw(st.sampled_from(keys()))
    start = datetime(1950, 1, 1, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, 5_000_000_000)))
    builder = x509.CertificateBuilder().subject_name(draw(_names())).issuer_name(draw(_names()))
    builder = builder.public_key(key.public_key()).serial_number(draw(st.integers(1, 2**159 - 1)))
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(seconds=draw(st.integers(1, 10**9))))
    for extension in _EXTENSIONS:
        if draw(st.booleans()):
            builder = builder.add_extension(draw(extension), critical=draw(st.booleans()))
    signer = draw(st.sampled_from(keys()[1:]))
    return builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)
