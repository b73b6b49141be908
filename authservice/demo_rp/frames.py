# SPDX-License-Identifier: EUPL-1.2
"""Animated QR frames as SVG, drawn by the relying party's back end: the QR secret never reaches the browser."""

from __future__ import annotations

import qrcode
from qrcode.image.svg import SvgPathImage

from sithsapp.oob.protocol.encoding import b64u_decode
from sithsapp.oob.protocol.qr import format_frame
from sithsapp.oob.protocol.rp_messages import QrStart


def frame_svg(qr: QrStart, scheme: str, service: str, elapsed: float) -> bytes | None:
    """Return the frame of this second, or None when frames are no longer shown.

    `elapsed` is in seconds since the order was made, by a clock of one's own: two servers' clocks may differ.
    """
    second = int(elapsed)
    if not 0 <= second < qr.until_s:
        return None
    content = format_frame(scheme, b64u_decode(qr.secret), service, qr.token, second)
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=2)
    code.add_data(content)
    image = code.make_image(image_factory=SvgPathImage)
    svg = image.to_string(encoding="utf-8")
    return svg if isinstance(svg, bytes) else str(svg).encode("utf-8")
