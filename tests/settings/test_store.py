# SPDX-License-Identifier: EUPL-1.2
"""Settings while the app runs: changed by the user, locked by the organisation, never lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.failures import Failure, SithsError
from sithsapp.settings.schema import Settings
from sithsapp.settings.sources import MAX_FILE_SIZE, Authority, JsonFile
from sithsapp.settings.store import NAMES, NEEDS_RESTART, SettingsStore, open_store
from sithsapp.settings.user_file import MAX_KEPT_ASIDE, UserFile


class Files:
    """The user's file and a policy, and the store over them."""

    def __init__(self, directory: Path) -> None:
        self.user = directory / "user" / "settings.json"
        self.policy = directory / "policy.json"

    def store(self) -> SettingsStore:
        return SettingsStore([JsonFile(Authority.POLICY, self.policy)], UserFile(self.user))

    def write_user(self, content: str) -> None:
        self.user.parent.mkdir(exist_ok=True)
        self.user.write_text(content)

    def users_own(self) -> object:
        return json.loads(self.user.read_text())


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_choice_is_in_force_at_once_and_at_the_next_start(files: Files) -> None:
    store = files.store()
    store.set("language", "sv")
    assert store.settings.language == "sv"
    assert store.authority("language") is Authority.USER
    assert files.store().settings.language == "sv"


def test_the_file_is_private_and_nothing_else_is_left_beside_it(files: Files) -> None:
    files.store().set("theme", "dark")
    assert stat.S_IMODE(files.user.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.user.parent.stat().st_mode) & 0o077 == 0
    assert {path.name for path in files.user.parent.iterdir()} == {"settings.json", ".settings.json.lock"}


def test_one_choice_leaves_the_others_alone(files: Files) -> None:
    files.write_user('{"done_seconds": 7}')
    store = files.store()
    store.set("theme", "dark")
    store.set("keypad", True)
    assert files.users_own() == {"done_seconds": 7, "theme": "dark", "keypad": True}


def test_what_the_organisation_set_cannot_be_changed(files: Files) -> None:
    files.policy.write_text('{"theme": "light"}')
    store = files.store()
    assert store.locked("theme")
    with pytest.raises(SithsError) as caught:
        store.set("theme", "dark")
    assert caught.value.failure is Failure.SETTING_LOCKED
    assert not files.user.exists()


def test_the_choice_of_environment_can_be_forbidden(files: Files) -> None:
    files.write_user('{"environment": "test"}')
    files.policy.write_text('{"allow_environment_choice": false, "environment": "qa"}')
    store = files.store()
    assert (store.settings.environment, store.locked("environment")) == ("qa", True)
    files.policy.write_text('{"allow_environment_choice": false}')
    store.reload()
    assert (store.settings.environment, store.locked("environment")) == ("production", True)
    with pytest.raises(SithsError):
        store.set("environment", "test")


def test_a_user_who_forbids_herself_the_choice_may_still_choose(files: Files) -> None:
    files.write_user('{"environment": "test", "allow_environment_choice": false}')
    store = files.store()
    assert (store.settings.environment, store.locked("environment")) == ("test", False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("language", "fi"), ("done_seconds", 61), ("done_seconds", True), ("keypad", "yes"), ("nothing", 1), ("", 1)],
)
def test_a_value_that_cannot_be_changes_nothing(files: Files, name: str, value: object) -> None:
    files.write_user('{"theme": "dark"}')
    store = files.store()
    with pytest.raises(SithsError) as caught:
        store.set(name, value)
    assert caught.value.failure is Failure.SETTINGS_INVALID
    assert files.users_own() == {"theme": "dark"}


@pytest.mark.parametrize("proxy", ["http://proxy:0x1", "http://u:p@proxy:80", "https://proxy:80", "none\n", "proxy"])
def test_a_proxy_is_an_address_and_nothing_else(files: Files, proxy: str) -> None:
    with pytest.raises(SithsError):
        files.store().set("proxy", proxy)


def test_a_user_still_cannot_add_trust(files: Files) -> None:
    service = {
        "id": "x",
        "origin": "https://a.example",
        "display_name": {"sv": "x", "en": "x"},
        "environment": "production",
        "order_keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "A" * 43, "y": "A" * 43}],
    }
    with pytest.raises(SithsError, match="demo services"):
        files.store().set("services", [service])


def test_resetting_gives_the_defaults_back(files: Files) -> None:
    store = files.store()
    for name, value in (("theme", "dark"), ("language", "sv"), ("keypad", True)):
        store.set(name, value)
    store.reset(["theme"])
    assert (store.settings.theme, store.settings.language) == ("system", "sv")
    store.reset()
    assert store.settings == Settings()
    assert files.users_own() == {}


def test_listeners_hear_what_changed_and_only_then(files: Files) -> None:
    store, heard = files.store(), list[frozenset[str]]()
    unsubscribe = store.subscribe(heard.append)
    store.set("theme", "dark")
    store.set("theme", "dark")
    store.reset(["theme"])
    unsubscribe()
    store.set("theme", "light")
    assert heard == [{"theme"}, {"theme"}]


def test_a_listener_that_fails_keeps_nobody_from_hearing(files: Files) -> None:
    store, heard = files.store(), list[frozenset[str]]()
    store.subscribe(lambda changed: 1 // 0)  # type: ignore[arg-type] # never returns
    store.subscribe(heard.append)
    store.set("theme", "dark")
    assert heard == [{"theme"}]


def test_a_change_from_elsewhere_is_found_when_reading_again(files: Files) -> None:
    store, heard = files.store(), list[frozenset[str]]()
    store.subscribe(heard.append)
    files.write_user('{"language": "sv"}')
    files.policy.write_text('{"theme": "dark"}')
    store.reload()
    assert heard == [{"language", "theme"}]
    files.policy.write_text('{"theme": "dark", "language": "sv"}')
    store.reload()
    assert heard[1:] == [{"language"}]  # the same value, but locked now


def test_a_policy_that_breaks_while_the_app_runs_changes_nothing(files: Files) -> None:
    files.policy.write_text('{"allow_show_pin": false}')
    store = files.store()
    files.policy.write_text('{"allow_show_pin": ')
    store.reload()
    assert not store.settings.allow_show_pin
    assert store.locked("allow_show_pin")


BAD = ['{"language": ', '{"unknown": 1}', "\x00" * 40, "[1]", '{"a": "' + "x" * MAX_FILE_SIZE + '"}']


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_a_file_that_cannot_be_used_is_kept_aside(files: Files, content: str) -> None:
    files.write_user(content)
    store = files.store()
    assert [problem.failure for problem in store.problems] == [Failure.SETTINGS_INVALID]
    assert files.user.read_text() == content  # reading alone touches nothing
    store.set("theme", "dark")
    assert files.user.with_name("settings.json.unusable-1").read_text() == content
    assert files.users_own() == {"theme": "dark"}
    assert store.problems == ()


def test_earlier_files_kept_aside_are_never_lost(files: Files) -> None:
    files.write_user("second")
    for number in range(1, MAX_KEPT_ASIDE):
        files.user.with_name(f"settings.json.unusable-{number}").write_text("first")
    store = files.store()
    store.set("theme", "dark")
    assert files.user.with_name(f"settings.json.unusable-{MAX_KEPT_ASIDE}").read_text() == "second"
    files.write_user("third")
    with pytest.raises(SithsError) as caught:
        store.set("theme", "light")
    assert caught.value.failure is Failure.SETTINGS_NOT_SAVED
    assert files.user.read_text() == "third"


def test_a_value_that_cannot_be_moves_no_file_aside(files: Files) -> None:
    files.write_user("broken")
    with pytest.raises(SithsError):
        files.store().set("language", "fi")
    assert files.user.read_text() == "broken"


def test_a_pipe_in_the_files_place_does_not_hold_the_app_up(files: Files) -> None:
    files.user.parent.mkdir()
    os.mkfifo(files.user)
    store = files.store()
    assert len(store.problems) == 1
    store.set("theme", "dark")
    assert files.users_own() == {"theme": "dark"}


def test_a_link_that_the_user_made_stays_one(files: Files, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text('{"keypad": true}')
    files.user.parent.mkdir()
    files.user.symlink_to(kept)
    files.store().set("theme", "dark")
    assert files.user.is_symlink()
    assert json.loads(kept.read_text()) == {"keypad": True, "theme": "dark"}


def test_a_disk_that_takes_nothing_changes_nothing(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_user('{"theme": "light"}')
    store = files.store()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SithsError, match="No space left") as caught:
        store.set("theme", "dark")
    assert caught.value.failure is Failure.SETTINGS_NOT_SAVED
    assert store.settings.theme == "light"
    assert {path.name for path in files.user.parent.iterdir()} == {"settings.json", ".settings.json.lock"}
    assert files.users_own() == {"theme": "light"}


def test_two_processes_lose_nothing_of_each_others(files: Files) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    names = ("done_seconds", "autostart")
    writers = [context.Process(target=_set_one, args=(files.user, name, start)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert files.users_own() == {"done_seconds": 19, "autostart": False}


def _set_one(path: Path, name: str, start: object) -> None:
    store = SettingsStore([], UserFile(path))
    start.wait(20)  # type: ignore[attr-defined] # a barrier, whose type multiprocessing does not name
    for number in range(20):
        store.set(name, number if name == "done_seconds" else number % 2 == 0)


def test_what_needs_a_restart_are_settings() -> None:
    assert set(NAMES) > NEEDS_RESTART


def test_the_store_of_this_computer(tmp_path: Path) -> None:
    store = open_store(tmp_path / "own", tmp_path / "etc")
    assert [Path(place).name for place in store.places] == ["policy.json", "settings.json", "settings.json"]
    store.set("theme", "dark")
    assert (tmp_path / "own" / "settings.json").exists()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
)


@given(st.sampled_from([*NAMES, "x"]), JSON_VALUES)
def test_whatever_is_set_can_be_read_again(
    tmp_path_factory: pytest.TempPathFactory, name: str, value: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "store-fuzz" / "settings.json"
    store = SettingsStore([], UserFile(path))
    try:
        store.set(name, value)
    except SithsError as error:  # where it starts from, production, a virtual card has a refusal of its own
        refused = name == "virtual_card" and isinstance(value, str)
        assert error.failure in (Failure.SETTINGS_INVALID, *([Failure.VIRTUAL_CARD_REFUSED] if refused else []))
    assert SettingsStore([], UserFile(path)).problems == ()


def test_production_and_a_virtual_card_never_come_together(files: Files) -> None:
    files.write_user('{"environment": "demo", "virtual_card": "/tmp/card"}')
    store = files.store()
    for change in (partial(store.set, "environment", "production"), partial(store.reset, ["environment"])):
        with pytest.raises(SithsError) as caught:
            change()
        assert caught.value.failure is Failure.VIRTUAL_CARD_REFUSED
    assert files.users_own() == {"environment": "demo", "virtual_card": "/tmp/card"}
    files.write_user('{"virtual_card": "/tmp/card"}')
    store.reload()
    assert store.settings.environment == "demo"
    store.reset()
    assert (store.settings.environment, store.settings.virtual_card) == ("production", None)
    with pytest.raises(SithsError):
        store.set("virtual_card", "/tmp/card")
