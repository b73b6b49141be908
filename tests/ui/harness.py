# SPDX-License-Identifier: EUPL-1.2
"""A program for tests on a real screen: shows one sample view, prints what is posted.

`python -m tests.ui.harness VIEW`. A line on standard input: `again` shows the view of a new order.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication

from sithsapp.locale import set_language
from sithsapp.oob.interaction import Event, PinEntered
from sithsapp.ui.theme import current
from tests.ui.pointing import order_window
from tests.ui.samples import views


def _tell(event: Event) -> None:
    words = [type(event).__name__]
    if isinstance(event, PinEntered):
        with event.pin.once() as digits:
            words.append(digits.decode("ascii"))
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run until standard input ends."""
    application = QApplication(sys.argv)
    application.setStyle("Fusion")
    application.setQuitOnLastWindowClosed(False)
    set_language("en")
    window = order_window(current("light"))
    window.posted.connect(_tell)

    def show() -> None:
        window.show_view(views()["opening"])
        window.show_view(views()[sys.argv[1]])

    def read() -> None:
        if sys.stdin.readline().strip() == "again":
            show()
        else:
            application.quit()

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(read)
    show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
