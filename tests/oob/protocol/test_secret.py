# SPDX-License-Identifier: EUPL-1.2
"""Secrets do not show themselves."""

from __future__ import annotations

import copy
import pickle

import pytest

from sithsapp.oob.protocol.secret import Secret


def test_no_text_form_holds_the_secret() -> None:
    secret = Secret("hemligt")
    assert {repr(secret), str(secret), f"{secret}", f"{secret!r:>5}".strip(), f"{[secret]}"} == {"***", "[***]"}
    assert secret.reveal() == "hemligt"


def test_equality_is_by_text_and_only_among_secrets() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_it_cannot_be_serialised() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("a"))
    with pytest.raises(TypeError):
        copy.deepcopy(Secret("a"))
