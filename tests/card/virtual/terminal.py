# SPDX-License-Identifier: EUPL-1.2
"""The terminal's side of a virtual card, in hexadecimal, for tests."""

from __future__ import annotations

from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import VirtualCard

SELECT = "00A4040C0BA000000018800000000662"


def field(digits: str) -> str:
    """Return a code as it is sent: ASCII, padded with zeros to 16 bytes, in hexadecimal."""
    return digits.encode().ljust(16, b"\0").hex()


class Terminal:
    """Sends commands and follows 61xx and 6Cxx if asked to."""

    def __init__(self, card: VirtualCard, *, selected: bool = True) -> None:
        self.card = card
        card.reset()
        if selected:
            assert self.sw(SELECT) == "9000"

    def send(self, command: str) -> tuple[str, str]:
        """Send one command; return data and status word in upper-case hexadecimal."""
        answer = self.card.process(bytes.fromhex(command)).hex().upper()
        return answer[:-4], answer[-4:]

    def sw(self, command: str) -> str:
        """Send one command; return its status word."""
        return self.send(command)[1]

    def fetch(self, command: str) -> bytes:
        """Send a command and collect its answer as a T=0 terminal does; fails unless it ends with 9000."""
        data, status = self.send(command)
        if status.startswith("6C"):
            data, status = self.send(command[:8] + status[2:])
        while status.startswith("61"):
            more, status = self.send("00C00000" + status[2:])
            data += more
        assert status == "9000"
        return bytes.fromhex(data)

    def read_file(self, identifier: str) -> bytes:
        """Read a whole file by its identifier."""
        control = self.fetch("00A4000002" + identifier)
        size = int.from_bytes(control[4:6], "big")
        content = b""
        while len(content) < size:
            count = min(256, size - len(content))
            content += self.fetch(f"00B0{len(content):04X}{count & 0xFF:02X}")
        return content

    def verify(self, reference: str, digits: str) -> str:
        """Verify a code; return the status word."""
        return self.sw(f"002000{reference}10{field(digits)}")

    def verify_pin1(self) -> None:
        """Verify PIN1 with its right value."""
        assert self.verify("11", DEMO_CODES.pin1) == "9000"

    def verify_pin2(self) -> None:
        """Verify PIN2 with its right value."""
        assert self.verify("83", DEMO_CODES.pin2) == "9000"

    def prepare(self, algorithm: str, key: str, digest: bytes) -> str:
        """Set the security environment and the hash; return the status word of PSO HASH."""
        assert self.sw(f"002241B6068001{algorithm}8401{key}") == "9000"
        size = len(digest)
        return self.sw(f"002A90A0{size + 2:02X}90{size:02X}{digest.hex()}")
