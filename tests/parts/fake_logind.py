# SPDX-License-Identifier: EUPL-1.2
"""A login manager of the test's own on a private bus: `python -m tests.parts.fake_logind SESSION`.

Says `ready`, then sends one signal for each line on standard input: `lock`, `unlock`, `sleep`, `wake`, `inactive`,
`active`, `hint` and `unhint`; a word before it names another session. Ends with its standard input.
"""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QCoreApplication, QSocketNotifier
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusVirtualObject

LOGIN = "org.freedesktop.login1"
ROOT = "/org/freedesktop/login1"
_PROPERTIES: dict[str, dict[str, bool]] = {
    "inactive": {"Active": False},
    "active": {"Active": True},
    "hint": {"LockedHint": True},
    "unhint": {"LockedHint": False},
}


class Sessions(QDBusVirtualObject):
    """Answers which session the caller belongs to."""

    def __init__(self, session: str) -> None:
        super().__init__()
        self._session = session

    def introspect(self, path: str) -> str:
        return ""

    def handleMessage(self, message: QDBusMessage, connection: QDBusConnection) -> bool:
        if (message.path(), message.member()) != (f"{ROOT}/session/auto", "Get"):
            return False
        connection.send(message.createReply(self._session))
        return True


def _escaped(session: str) -> str:
    """Return a session's id as systemd writes it in a path: a leading digit as two hexadecimal ones."""
    return f"_{ord(session[0]):02x}{session[1:]}" if session[0].isdigit() else session


def signal(word: str, session: str) -> QDBusMessage:
    """Return the signal that `word` stands for."""
    if word in ("sleep", "wake"):
        made = QDBusMessage.createSignal(ROOT, f"{LOGIN}.Manager", "PrepareForSleep")
        made.setArguments([word == "sleep"])
        return made
    path = f"{ROOT}/session/{_escaped(session)}"
    if word in _PROPERTIES:
        made = QDBusMessage.createSignal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged")
        made.setArguments([f"{LOGIN}.Session", _PROPERTIES[word], [""]])
        return made
    return QDBusMessage.createSignal(path, f"{LOGIN}.Session", word.capitalize())


def main() -> int:
    """Serve until standard input ends."""
    application = QCoreApplication([])
    bus = QDBusConnection.sessionBus()
    sessions = Sessions(sys.argv[1])
    assert bus.registerVirtualObject(ROOT, sessions, QDBusConnection.VirtualObjectRegisterOption.SubPath)
    assert bus.registerService(LOGIN)

    def obey() -> None:
        lines = os.read(sys.stdin.fileno(), 4096).decode().splitlines()
        if not lines:
            application.quit()
        for words in map(str.split, lines):
            session = words[0] if len(words) > 1 else sys.argv[1]
            assert bus.send(signal(words[-1], session))

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(obey)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
