# SPDX-License-Identifier: EUPL-1.2
"""One running app per desktop session; a second start hands its message over and ends.

The rules, whatever the platform:

- The channel belongs to one user and one session. Nobody else can write to it, read it or take its name first.
- Each side makes the operating system tell who the other side is, and refuses every other user.
- A message is a launch URL or the wish to see the window, with the desktop's activation token: never a code.
- Handing over needs neither Qt nor the network, so that a link is answered at once.

Linux: a Unix socket (`single_instance_linux`). Windows, for later: a named pipe whose name is random per logon
session and kept under HKCU, created with FILE_FLAG_FIRST_PIPE_INSTANCE and a DACL of the current user that
denies NETWORK; the client checks the server's SID and session before it writes, and calls
AllowSetForegroundWindow for the server's process. macOS: a Unix socket in a 0700 directory, with getpeereid.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MAX_URL_LENGTH = 512
MAX_TOKEN_LENGTH = 256
MAX_MESSAGE_LENGTH = MAX_URL_LENGTH + MAX_TOKEN_LENGTH + 16
_SHOW = "show"


class MessageRefused(ValueError):
    """A message that breaks the grammar; says nothing of its contents."""


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """What a second start asks of the running app: open `url`, or show the window when it is None.

    `activation_token` is what the desktop gave the second process so that a window may come to the front.
    """

    url: str | None = None
    activation_token: str = ""

    def encode(self) -> bytes:
        """Return the message as two lines; raises `MessageRefused`."""
        _check(self)
        return f"{self.url or _SHOW}\n{self.activation_token}\n".encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> Message:
        """Read what `encode` wrote and nothing else; raises `MessageRefused`."""
        if len(data) > MAX_MESSAGE_LENGTH or not data.isascii():
            raise MessageRefused("length or signs")
        lines = data.decode("ascii").split("\n")
        if len(lines) != 3 or lines[2]:
            raise MessageRefused("form")
        message = cls(None if lines[0] == _SHOW else lines[0], lines[1])
        _check(message)
        return message


def _check(message: Message) -> None:
    for text, limit in ((message.url or _SHOW, MAX_URL_LENGTH), (message.activation_token, MAX_TOKEN_LENGTH)):
        # One word of visible ASCII: no line break can forge a second line, no blank a second argument.
        if len(text) > limit or not all("!" <= sign <= "~" for sign in text):
            raise MessageRefused("length or signs")


class Instance(Protocol):
    """The one app of this session."""

    def listen(self, receive: Callable[[Message], None]) -> None:
        """Call `receive`, from a thread of its own, for each message of a second start."""

    def close(self) -> None:
        """Stop listening and give the name back."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Another process of this session runs the app and has taken the message."""


@dataclass(frozen=True, slots=True)
class Alone:
    """No channel could be had, because its place is not safe: run without one. `why` is for the log."""

    why: str


def claim_or_hand_over(message: Message) -> Instance | HandedOver | Alone:
    """Become the app of this session, or give `message` to the one that runs."""
    if sys.platform.startswith("linux"):
        from sithsapp.desktop import single_instance_linux

        return single_instance_linux.claim_or_hand_over(message)
    return Alone("no channel on this platform yet")
