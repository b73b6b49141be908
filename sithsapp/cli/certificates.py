# SPDX-License-Identifier: EUPL-1.2
"""`siths certs`, `certs show` and `certs export`; finding certificates for the other `certs` commands."""

from __future__ import annotations

import argparse
import base64
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sithsapp.card.model import Card, Credential
from sithsapp.cli.card_service import running_card_service, settled
from sithsapp.cli.choice import chosen_cards
from sithsapp.cli.output import Output
from sithsapp.desktop.certificate_file import pem, write_file
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.settings.schema import Settings

if TYPE_CHECKING:
    from sithsapp.pki.certificate import Certificate


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate on a card."""

    card: Card
    credential: Credential
    certificate: Certificate

    @property
    def on_card(self) -> tuple[bytes, ...]:
        """All certificates on the same card, in DER."""
        return (*self.card.other_certificates, *(each.certificate for each in self.card.credentials))


def certs(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """List the certificates on all cards."""
    found = find(settings, None, None)
    lines = [line for each in found for line in _short_lines(each)]
    output.result({"certificates": [_data(each) for each in found]}, lines)
    return 0


def show(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Show all that the certificates say: all of them, or those that are named."""
    found = find(settings, arguments.reader, arguments.id)
    lines = [line for each in found for line in (_every_line(each) if arguments.all else _long_lines(each))]
    data = [_data(each) | _more_data(each) | (_every_field(each) if arguments.all else {}) for each in found]
    output.result({"certificates": data}, lines)
    return 0


def export(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Write one certificate, or it and its issuers on the card, to a file or standard output."""
    found = find(settings, arguments.reader, arguments.id)
    if len(found) > 1:
        raise SithsError(Failure.CHOICE_NEEDED, ", ".join(each.credential.id for each in found))
    chain, complete = _chain(found[0]) if arguments.format == "chain" else ([found[0].credential.certificate], None)
    content = chain[0] if arguments.format == "der" else b"".join(pem(der) for der in chain)
    data: dict[str, object] = {"id": found[0].credential.id, "format": arguments.format, "certificates": len(chain)}
    if complete is not None:
        data["complete"] = complete
    if complete is False:
        output.note(tr("The chain is incomplete: the card does not hold the certificates of all issuers."))
    _deliver(arguments, output, content, data)
    return 0


def _deliver(arguments: argparse.Namespace, output: Output, content: bytes, data: dict[str, object]) -> None:
    if arguments.output is not None:
        write_file(arguments.output, content, replace=arguments.force)
        output.result(data | {"output": arguments.output}, [tr("Written: {file}").format(file=arguments.output)])
    elif output.as_json:
        binary = arguments.format == "der"
        text = base64.b64encode(content) if binary else content
        output.result(data | {"der_base64" if binary else "pem": text.decode("ascii")}, ())
    elif arguments.format == "der" and sys.stdout.isatty():
        raise SithsError(Failure.FILE_NOT_WRITTEN, "DER is not for a terminal: give --output")
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def find(settings: Settings, reader: str | None, wanted: str | None) -> list[Found]:
    """Return the certificates, those called `wanted` if given; raises CERTIFICATE_NOT_FOUND for none."""
    from sithsapp.pki.certificate import read_certificate

    with running_card_service(settings) as service:
        cards = chosen_cards(settled(service), reader)
    found = [
        Found(card, credential, read_certificate(credential.certificate))
        for card in cards
        for credential in card.credentials
        if wanted in (None, credential.id)
    ]
    if not found and wanted is not None:
        raise SithsError(Failure.CERTIFICATE_NOT_FOUND, wanted)
    return found


def _chain(found: Found) -> tuple[list[bytes], bool]:
    """Return the certificate with its issuers on the card, and whether the last one is a root."""
    from sithsapp.pki.findings import Known, Origin
    from sithsapp.pki.issuers import build_chain

    known = (Known(der, Origin.CARD) for der in found.on_card)
    chain = build_chain(Known(found.credential.certificate, Origin.CARD), known)
    return list(chain.certificates), chain.complete


def _data(found: Found) -> dict[str, object]:
    certificate = found.certificate
    return {
        "reader": found.card.id.reader,
        "id": found.credential.id,
        "code": found.credential.pin.value,
        "holder": certificate.common_name,
        "organisation": certificate.organisation,
        "hsaid": certificate.hsaid,
        "issuer": certificate.issuer,
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "key": f"{certificate.key_type} {certificate.key_bits}",
        "policies": list(certificate.policies),
        "card_number": certificate.card_number,
        "sha256": certificate.sha256.hex(),
    }


def _more_data(found: Found) -> dict[str, object]:
    certificate = found.certificate
    return {
        "subject": certificate.subject.rfc4514,
        "issuer_name": certificate.issuer_name.rfc4514,
        "personal_number": certificate.personal_number,
        "key_usage": sorted(usage.value for usage in certificate.key_usage),
        "extended_key_usage": list(certificate.extended_key_usage or ()),
        "upn": certificate.upn,
        "schemes": [scheme.value for scheme in found.credential.schemes],
    }


def _every_field(found: Found) -> dict[str, object]:
    from sithsapp.pki.parts import take_apart

    extensions = take_apart(found.credential.certificate).extensions
    return {
        "extensions": [{"oid": each.oid, "critical": each.critical, "value": each.value.hex()} for each in extensions]
    }


def _every_line(found: Found) -> list[str]:
    """Return every field of the certificate; a value of several lines stands below its label."""
    from sithsapp.pki.listing import list_fields

    listing = list_fields(found.credential.certificate)
    lines = [found.credential.id]
    for field in (*listing.fields, *listing.extensions):
        label = tr("{label}, critical").format(label=field.label) if field.critical else field.label
        first, *rest = field.value.split("\n")
        lines += [f"    {label}: {first}", *(f"        {line}" for line in rest)]
    return lines


def _short_lines(found: Found) -> list[str]:
    certificate, credential = found.certificate, found.credential
    key = f"{certificate.key_type} {certificate.key_bits}"
    return [
        f"{credential.id}  {certificate.common_name}, {certificate.organisation or ''}",
        f"    {certificate.hsaid or ''}  {certificate.issuer}",
        f"    {credential.pin.value}  {key}  {certificate.not_after:%Y-%m-%d}",
    ]


def _long_lines(found: Found) -> list[str]:
    members = _data(found) | _more_data(found)
    shown = ((name, value) for name, value in members.items() if value not in (None, []) and name != "id")
    lines = [f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in shown]
    return [found.credential.id, *("    " + line for line in lines)]
