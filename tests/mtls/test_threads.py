# SPDX-License-Identifier: EUPL-1.2
"""Threads that are used again."""

from __future__ import annotations

import logging
import queue
import threading

import pytest

from sithsapp.mtls import threads
from sithsapp.mtls.threads import Workers
from tests.mtls.parts import DEADLINE, eventually


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_a_thread_that_is_idle_is_used_again_and_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_IDLE_SECONDS", 0.3)
    workers, done = Workers("worker a"), queue.SimpleQueue[threading.Thread]()
    seen = set()
    for _ in range(20):
        workers.run(lambda: done.put(threading.current_thread()))
        seen.add(done.get(timeout=DEADLINE))
        eventually(lambda: workers._idle == 1)
    assert len(seen) == 1
    eventually(lambda: "worker a" not in names())


def test_work_never_waits_for_other_work() -> None:
    workers, gate, begun = Workers("worker b"), threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        begun.release()
        gate.wait(DEADLINE)

    for _ in range(2):  # with threads that are all new, and with some that are idle
        for _ in range(8):
            workers.run(wait)
        for _ in range(8):
            assert begun.acquire(timeout=DEADLINE)
        gate.set()
        eventually(lambda: workers._idle == 8)
        gate.clear()
        assert names().count("worker b") == 8


def test_work_that_fails_is_logged_and_leaves_the_thread_usable(caplog: pytest.LogCaptureFixture) -> None:
    workers, done = Workers("worker c"), threading.Event()

    def fail() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        workers.run(fail)
        eventually(lambda: workers._idle == 1)
        workers.run(done.set)
    assert done.wait(DEADLINE)
    assert "ZeroDivisionError" in caplog.text


def test_without_a_thread_the_caller_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start_thread", none_left)
    with pytest.raises(RuntimeError):
        Workers("worker d").run(lambda: None)
