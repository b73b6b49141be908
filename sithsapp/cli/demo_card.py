# SPDX-License-Identifier: EUPL-1.2
"""`siths demo-card`: a virtual card in a virtual reader, for testers, until it is interrupted."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from sithsapp.cli.output import Output
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.settings.schema import Settings


def demo_card(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Make or open the card in a directory and keep it in a vpcd reader; never in production."""
    from sithsapp.card.virtual.ca_profile import DEMO_CODES
    from sithsapp.card.virtual.kit import VirtualKit
    from sithsapp.card.virtual.vpcd import VpcdCard

    with VirtualKit(Path(arguments.directory), environment=settings.environment) as kit:
        try:
            reader = VpcdCard(kit.card, arguments.port)
            reader.insert()
        except TimeoutError as error:
            raise SithsError(Failure.NO_READER_SERVICE, str(error)) from error
        codes = {"auth": DEMO_CODES.pin1, "sign": DEMO_CODES.pin2, "puk": DEMO_CODES.puk}
        data = {
            "directory": str(kit.directory),
            "anchors": str(kit.anchors),
            "ca": kit.server.url,
            "first_codes": codes,
        }
        lines = [tr("The virtual card is in the reader. Interrupt to take it out.")]
        output.result(data, lines + [f"  {name}: {value}" for name, value in data.items()])
        try:
            threading.Event().wait()
        finally:
            reader.remove()
    return 0
