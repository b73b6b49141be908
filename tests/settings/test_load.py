# SPDX-License-Identifier: EUPL-1.2
"""Settings: order of authority, strictness, and what a user may not set."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.failures import Failure, SithsError
from sithsapp.settings import profile
from sithsapp.settings.load import Resolved, load
from sithsapp.settings.schema import Settings
from sithsapp.settings.sources import MAX_FILE_SIZE, Authority, JsonFile

COORDINATE = "A" * 43
SERVICE = {
    "id": "demo",
    "origin": "http://localhost:8080",
    "display_name": {"sv": "Exempel", "en": "Example"},
    "environment": "demo",
    "order_keys": [{"kty": "EC", "crv": "P-256", "kid": "svc-1", "x": COORDINATE, "y": COORDINATE}],
}


class Layers:
    """Three settings files under one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, authority: Authority, content: Any) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        path = self.directory / f"{authority.name}.json"
        path.write_text(text)
        path.chmod(0o600)

    def load(self) -> Resolved:
        owner = os.getuid()
        return load(
            JsonFile(a, self.directory / f"{a.name}.json", owner=None if a is Authority.USER else owner)
            for a in (Authority.USER, Authority.POLICY, Authority.MACHINE)
        )


@pytest.fixture
def layers(tmp_path: Path) -> Layers:
    return Layers(tmp_path)


def test_nothing_set_gives_the_defaults(layers: Layers) -> None:
    resolved = layers.load()
    assert resolved.settings == Settings()
    assert not resolved.locked("language")


def test_policy_beats_machine_beats_user(layers: Layers) -> None:
    layers.write(Authority.USER, {"language": "en", "theme": "dark", "done_seconds": 5})
    layers.write(Authority.MACHINE, {"language": "sv", "theme": "light"})
    layers.write(Authority.POLICY, {"language": "system"})
    resolved = layers.load()
    assert (resolved.settings.language, resolved.settings.theme, resolved.settings.done_seconds) == (
        "system",
        "light",
        5,
    )
    assert [resolved.locked(name) for name in ("language", "theme", "done_seconds")] == [True, True, False]


def test_a_demo_service_of_the_user_is_found_in_its_environment_only(layers: Layers) -> None:
    layers.write(Authority.USER, {"environment": "demo", "services": [SERVICE]})
    settings = layers.load().settings
    found = settings.service("demo")
    assert found is not None
    assert found.origin == "http://localhost:8080"
    assert settings.service("other") is None
    layers.write(Authority.POLICY, {"environment": "test"})
    assert layers.load().settings.service("demo") is None


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://auth.example.org"},
        {"environment": "production"},
        {"origin": "http://localhost.example.org"},
        {"origin": "http://[::1]:80"},
        {"origin": "http://localhost:8080\n"},
        {"id": "demo\n"},
    ],
)
def test_a_user_cannot_add_trust_beyond_the_demo(layers: Layers, change: dict[str, str]) -> None:
    layers.write(Authority.USER, {"services": [SERVICE | change]})
    resolved = layers.load()
    assert resolved.settings.services == ()
    assert [problem.failure for problem in resolved.problems] == [Failure.SETTINGS_INVALID]


BAD_CONTENTS = [
    '{"language": "sv", "language": "en"}',
    '{"unknown": 1}',
    '{"language": "fi"}',
    '{"done_seconds": "3"}',
    '{"environment": "PRODUCTION"}',
    "[]",
    "not json",
    "[" * 100_000,
    '{"x": "' + "a" * MAX_FILE_SIZE + '"}',
    '{"services": [{}]}',
]


@pytest.mark.parametrize("content", BAD_CONTENTS, ids=range(len(BAD_CONTENTS)))
def test_a_bad_policy_is_an_error_that_names_the_file(layers: Layers, content: str) -> None:
    layers.write(Authority.POLICY, content)
    with pytest.raises(SithsError, match=r"POLICY\.json") as caught:
        layers.load()
    assert caught.value.failure is Failure.SETTINGS_INVALID


@pytest.mark.parametrize("content", BAD_CONTENTS, ids=range(len(BAD_CONTENTS)))
def test_a_bad_user_file_is_told_and_left_out(layers: Layers, content: str) -> None:
    layers.write(Authority.USER, content)
    resolved = layers.load()
    assert resolved.settings == Settings()
    assert len(resolved.problems) == 1


def test_a_policy_that_others_can_write_is_refused(layers: Layers) -> None:
    layers.write(Authority.POLICY, {})
    (layers.directory / "POLICY.json").chmod(0o620)
    with pytest.raises(SithsError, match="root alone"):
        layers.load()


def test_a_policy_of_another_owner_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text("{}")
    with pytest.raises(SithsError, match="root alone"):
        JsonFile(Authority.POLICY, tmp_path / "policy.json", owner=os.getuid() + 1).read()


def test_an_environment_outside_the_package_is_refused(layers: Layers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "ENVIRONMENTS", ("production",))
    layers.write(Authority.USER, {"environment": "test"})
    assert layers.load().settings.environment == "production"
    layers.write(Authority.MACHINE, {"environment": "test"})
    with pytest.raises(SithsError, match="no such environment"):
        layers.load()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
)


@given(st.binary(max_size=400) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_content_gets_past_the_catalogue(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    path.write_bytes(content)
    try:
        load([JsonFile(Authority.POLICY, path)])
    except SithsError as error:
        assert error.failure is Failure.SETTINGS_INVALID


TARGET = {"name": "web", "listen": 8443, "host": "server.example"}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Web"},
        {"name": ""},
        {"listen": 443},
        {"listen": 65536},
        {"host": "Server.example"},
        {"host": "*"},
        {"host": "server.example\n"},
        {"host": "-"},
        {"port": 0},
        {"mode": "tcp"},
        {"allowed_hosts": ["intranet"]},
        {"alpn": ["a b"]},
        {"unknown": 1},
    ],
)
def test_a_target_of_the_helper_is_strict(layers: Layers, change: dict[str, object]) -> None:
    layers.write(Authority.MACHINE, {"mtls": {"targets": [TARGET | change]}})
    with pytest.raises(SithsError) as caught:
        layers.load()
    assert caught.value.failure is Failure.SETTINGS_INVALID


@pytest.mark.parametrize("change", [{"name": "other"}, {"listen": 8444}])
def test_two_targets_of_the_helper_share_nothing(layers: Layers, change: dict[str, object]) -> None:
    layers.write(Authority.MACHINE, {"mtls": {"targets": [TARGET, TARGET | change]}})
    with pytest.raises(SithsError, match="two targets"):
        layers.load()


def test_targets_of_the_helper(layers: Layers) -> None:
    layers.write(Authority.MACHINE, {"mtls": {"targets": [TARGET, TARGET | {"name": "other", "listen": 8444}]}})
    assert [target.port for target in layers.load().settings.mtls.targets] == [443, 443]


BROWSERS = {"name": "portal", "host": "portal.example", "mode": "browser"}


@pytest.mark.parametrize(
    "change",
    [
        {"listen": 8443},
        {"allowed_hosts": ["a.example:1"]},
        {"alpn": ["h2"]},
        {"server_speaks_first": True},
        {"host": "127.0.0.1"},
        {"host": "10.1"},
        {"host": "localhost"},
        {"host": "a.localhost"},
        {"host": "a..example"},
        {"host": "a-.example"},
        {"host": "portal.example."},
        {"mode": "http"},
    ],
)
def test_a_target_for_browsers_is_a_host_name_without_a_port_of_its_own(
    layers: Layers, change: dict[str, object]
) -> None:
    layers.write(Authority.MACHINE, {"mtls": {"targets": [BROWSERS | change]}})
    with pytest.raises(SithsError) as caught:
        layers.load()
    assert caught.value.failure is Failure.SETTINGS_INVALID


def test_targets_for_browsers(layers: Layers) -> None:
    other = {"name": "intranet", "host": "intranet", "port": 8443, "mode": "browser"}
    layers.write(Authority.MACHINE, {"mtls": {"targets": [BROWSERS, other, TARGET]}})
    assert [target.host for target in layers.load().settings.mtls.for_browsers] == ["portal.example", "intranet"]
    layers.write(Authority.MACHINE, {"mtls": {"targets": [BROWSERS, BROWSERS | {"name": "other"}]}})
    with pytest.raises(SithsError, match="two targets"):
        layers.load()


@pytest.mark.parametrize(
    ("way", "allowed"),
    [
        ("DIRECT", True),
        ("PROXY proxy.region.example:8080", True),
        ("PROXY a:1; PROXY b:2;DIRECT", True),
        ("proxy.region.example:8080", False),
        ('DIRECT"; evil()', False),
        ("PROXY a:1\n", False),
        ("", False),
    ],
)
def test_the_way_to_other_servers_is_a_pac_result(layers: Layers, way: str, allowed: bool) -> None:
    layers.write(Authority.MACHINE, {"mtls": {"browser": {"otherwise": way}}})
    if allowed:
        assert layers.load().settings.mtls.browser.otherwise == way
    else:
        with pytest.raises(SithsError):
            layers.load()
