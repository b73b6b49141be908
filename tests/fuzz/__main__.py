# SPDX-License-Identifier: EUPL-1.2
"""Fuzz one target under atheris: `python -m tests.fuzz TARGET CORPUS [libFuzzer options]`.

Without options it runs until it finds something or is stopped. The corpus directory is filled with seeds first and
keeps what the fuzzer finds worth keeping. `python -m tests.fuzz` lists the targets.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sithsapp.card", "sithsapp.pki"]):
    from tests.fuzz.targets import MAX_INPUT, Dialogue, targets

_LIMITS = ("-timeout=5", "-rss_limit_mb=512", f"-max_len={MAX_INPUT}", "-print_final_stats=1")


def main(arguments: list[str]) -> None:
    """Run libFuzzer, which ends the process."""
    dialogue = _dialogue()
    found = targets(dialogue)
    if len(arguments) < 2:
        sys.stdout.write("\n".join(found) + "\n")
        return
    name, corpus, *options = arguments
    target = found[name]
    directory = Path(corpus)
    directory.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (directory / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], corpus, *_LIMITS, *options], target.feed)
    atheris.Fuzz()


def _dialogue() -> Dialogue:
    """Return the dialogue that a test left in a file of its own making, or make a card and talk to it."""
    import os
    import tempfile

    file = os.environ.get("SITHS_FUZZ_DIALOGUE")
    if file is not None:
        made: Dialogue = pickle.loads(Path(file).read_bytes())  # noqa: S301 - written by the test itself
        return made
    from sithsapp.card.virtual.ca import VirtualPki
    from sithsapp.card.virtual.personalise import CardOrder, new_card
    from tests.fuzz.dialogue import dialogue_with

    with tempfile.TemporaryDirectory() as place:
        pki = VirtualPki(Path(place) / "ca", base_url="http://127.0.0.1:1", environment="test")
        card = new_card(Path(place) / "card", pki, CardOrder(), environment="test")
        return dialogue_with(card, Path(place) / "cache")


if __name__ == "__main__":
    main(sys.argv[1:])
