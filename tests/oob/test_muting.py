# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sithsapp.oob.muting import DECLINES, WINDOW, LaunchMute


def test_three_declines_in_two_minutes_mute_for_two_minutes() -> None:
    mute = LaunchMute()
    for moment in (0.0, 50.0):
        mute.declined(moment)
        assert not mute.is_muted(moment)
    mute.declined(119.0)
    assert mute.is_muted(119.0)
    assert mute.is_muted(238.9)
    assert not mute.is_muted(239.0)


def test_slow_declines_do_not_mute() -> None:
    mute = LaunchMute()
    for moment in (0.0, 100.0, 200.0, 330.0):
        mute.declined(moment)
        assert not mute.is_muted(moment)


def test_approving_starts_anew() -> None:
    mute = LaunchMute()
    for _ in range(DECLINES):
        mute.declined(1.0)
    mute.approved()
    assert not mute.is_muted(1.0)


def test_a_hundred_launches_show_three_windows() -> None:
    mute, shown = LaunchMute(), 0
    for launch in range(100):
        if not mute.is_muted(float(launch)):
            shown += 1
            mute.declined(float(launch))
    assert shown == DECLINES


@given(st.lists(st.integers(0, 10_000), max_size=50))
def test_never_muted_long_after_the_last_decline(moments: list[int]) -> None:
    mute = LaunchMute()
    for moment in sorted(moments):
        mute.declined(moment)
    assert not mute.is_muted(max(moments, default=0) + WINDOW)
