# SPDX-License-Identifier: EUPL-1.2
"""`python -m demo [--auto | --terminal]`: the main job on one machine.

With a display: web page, tray app, order window. Without one, or with `--terminal`: the same log-in in the terminal.
`--auto` does it unattended and exits 0 only if the relying party saw the verified person.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

from demo import terminal
from demo.stack import Stack

_TERMINATED = 128 + signal.SIGTERM


def _has_display() -> bool:
    return sys.platform in ("win32", "darwin") or any(os.environ.get(v) for v in ("DISPLAY", "WAYLAND_DISPLAY"))


def main() -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(prog="./dev demo", description="The main job on a virtual card.")
    parser.add_argument("--auto", action="store_true", help="log in unattended, in the terminal")
    parser.add_argument("--terminal", action="store_true", help="log in in the terminal even with a display")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    with Stack() as stack:
        if stack.why_no_reader is not None:
            print(f"No reader service of its own ({stack.why_no_reader}); the card is inside the app.", flush=True)
        if options.auto or options.terminal or not _has_display():
            return terminal.run(stack, auto=options.auto)
        from demo import desktop

        return desktop.run(stack)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
