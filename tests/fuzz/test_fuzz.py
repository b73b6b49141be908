# SPDX-License-Identifier: EUPL-1.2
"""Hostile bytes wherever bytes come in: refused by a failure of the catalogue, in bounded time and memory.

Hypothesis makes inputs, and changes to real ones, in this process. atheris does the same guided by coverage, for some
seconds a target; run it by hand for longer: `python -m tests.fuzz TARGET CORPUS`.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import re
import subprocess
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.dialogue import dialogue_with
from tests.fuzz.targets import MAX_INPUT, Dialogue, Target, targets
from tests.parts.virtual_card import CardFactory

NAMES = tuple(targets(Dialogue(b"", b"", b"", (b"",), (b"",), b"", b"")))
RUNS = 2000
SECONDS = 4
MOST_MEMORY = 2 * 1024 * 1024
BOUNDED = settings(
    max_examples=150,
    deadline=timedelta(seconds=2),  # far more than any of it takes, on a machine that is busy too
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
HAS_ATHERIS = importlib.util.find_spec("atheris") is not None


@pytest.fixture
def dialogue(make_card: CardFactory, tmp_path: Path) -> Dialogue:
    return dialogue_with(make_card(), tmp_path / "cache")


@pytest.fixture(params=NAMES)
def target(request: pytest.FixtureRequest, dialogue: Dialogue) -> Target:
    return targets(dialogue)[request.param]


def test_the_seeds_are_read(target: Target) -> None:
    assert target.seeds
    for seed in target.seeds:
        assert 2 <= len(seed) <= MAX_INPUT
        target.feed(seed)


def test_seeds_that_are_refused_would_prove_little(dialogue: Dialogue) -> None:
    for name, target in targets(dialogue).items():
        for seed in target.seeds[:1]:
            if name != "apdu":
                target.read(seed)


@BOUNDED
@given(data=st.binary(max_size=1200))
def test_any_bytes(target: Target, data: bytes) -> None:
    target.feed(data)


@BOUNDED
@given(data=st.data())
def test_bytes_that_were_right_but_for_a_change(target: Target, data: st.DataObject) -> None:
    seed = bytearray(data.draw(st.sampled_from(target.seeds)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(seed)))
        cut = data.draw(st.sampled_from((0, 0, 0, 1, 2, len(seed) // 3)))
        seed[at : at + cut] = data.draw(st.sampled_from((b"", b"\0", b"\xff", b"\x7f\xff"))) or data.draw(
            st.binary(max_size=3)
        )
    tracemalloc.start()
    try:
        target.feed(bytes(seed))
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not HAS_ATHERIS, reason="atheris is not installed: it has wheels for Linux on x86_64 alone")
@pytest.mark.parametrize("name", NAMES)
def test_guided_by_coverage(dialogue: Dialogue, name: str, tmp_path: Path) -> None:
    file = tmp_path / "dialogue"
    file.write_bytes(pickle.dumps(dialogue))
    options = (f"-runs={RUNS}", f"-max_total_time={SECONDS}", f"-artifact_prefix={tmp_path}/")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, str(tmp_path / "corpus"), *options],
        env={**os.environ, "SITHS_FUZZ_DIALOGUE": str(file)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        timeout=100,
        check=False,
    )
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said[-3000:]
    executed = re.search(r"number_of_executed_units:\s*(\d+)", said)
    assert executed, said[-3000:]
    assert int(executed[1]) > 100
