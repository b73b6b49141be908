# SPDX-License-Identifier: EUPL-1.2
"""Configuration, registration, clock, limits, keys, and the servers themselves."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from authservice.__main__ import main
from authservice.app import make_context
from authservice.clock import SteadyClock
from authservice.config import Environment, load_config
from authservice.demo import DemoOptions, start_demo
from authservice.keys import load_or_create_key, load_or_create_secret
from authservice.limits import Rate, RateLimiter, address_bucket
from authservice.registry import RegistrationError, Registry
from authservice.server import bind, port_of
from authservice.trust_file import write_trust_configuration
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.oob.protocol.order import Binding
from tests.authservice.support import RP_ORIGIN, Holder, LeafOnlyJudge, ManualClock, registration, service_config

KEY = ec.generate_private_key(ec.SECP256R1())


def test_clock_that_is_set_back_does_not_extend_orders() -> None:
    """P24."""
    wall, monotonic = [1000.0], [50.0]
    clock = SteadyClock(lambda: wall[0], lambda: monotonic[0])
    assert clock.now() == 1000
    wall[0], monotonic[0] = 10.0, 60.0
    assert clock.now() == 1010


def test_bucket_fills_again() -> None:
    clock = ManualClock()
    limiter, rate = RateLimiter(clock), Rate(per_second=0.1, burst=2)
    assert [limiter.take("a", rate) for _ in range(2)] == [0.0, 0.0]
    assert limiter.take("a", rate) == pytest.approx(10)
    assert limiter.take("b", rate) == 0.0
    clock.pass_(10)
    assert limiter.take("a", rate) == 0.0
    assert limiter.take("a", rate) > 0


def test_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authservice.limits._MAX_BUCKETS", 10)
    limiter, rate = RateLimiter(ManualClock()), Rate(1, 1)
    for number in range(50):
        limiter.take(str(number), rate)
    assert len(limiter._buckets) == 10


def test_address_buckets() -> None:
    assert address_bucket("192.0.2.1") == "ip:192.0.2.1"
    assert address_bucket("2001:db8:1:2:3:4:5:6") == address_bucket("2001:db8:1:2:ffff::1")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Jоurnalsystem"},  # a Cyrillic letter
        {"name": "Journal\u202e"},
        {"name": " Journal"},
        {"name": "x" * 65},
        {"name": ""},
        {"may_act_for": {"x": "a\nb"}},
        {"origins": ["http://journal.example.org"]},
        {"origins": ["http://localhost:8000"]},
        {"origins": ["https://journal.example.org:443"]},
        {"code_networks": ["everywhere"]},
        {"code_networks": ["192.0.2.1/8"]},
    ],
)
def test_registrations_that_are_refused(changes: dict[str, Any]) -> None:
    """P14 for names."""
    with pytest.raises(RegistrationError):
        Registry([registration("journal", KEY, **changes)], Environment.TEST)


def test_registration_rules_depend_on_the_environment() -> None:
    local = registration("journal", KEY, origins=["http://localhost:8000"])
    assert Registry([local], Environment.DEMO).get("journal") is not None
    unbound = registration("journal", KEY, bindings=[Binding.NONE])
    assert Registry([unbound], Environment.TEST).get("journal") is not None
    with pytest.raises(RegistrationError):
        Registry([unbound], Environment.PRODUCTION)
    with pytest.raises(RegistrationError):
        Registry([registration("journal", KEY)] * 2, Environment.TEST)


def test_networks_that_allow_codes() -> None:
    party = Registry([registration("journal", KEY, code_networks=["192.0.2.0/24"])], Environment.TEST).get("journal")
    assert party is not None
    assert party.network_allows_code("192.0.2.9")
    assert not party.network_allows_code("198.51.100.1")
    assert not party.network_allows_code("unknown")


def write_config(directory: Path, **changes: Any) -> Path:
    config: dict[str, Any] = msgspec.to_builtins(service_config(directory, {"journal": KEY}), enc_hook=str)
    config |= {"anchors": "anchors.pem", "state_directory": "state", **changes}
    path = directory / "service.json"
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))
    return path


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path))
    assert config.anchors == tmp_path / "anchors.pem"
    assert config.relying_parties[0].origins == [RP_ORIGIN]


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"id": "UPPER"},
        {"id": "demo\n"},
        {"scheme": "siths\n"},
        {"environment": "other"},
        {"port": 70_000},
    ],
)
def test_configurations_that_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"service\.json"):
        load_config(write_config(tmp_path, **changes))


def test_service_origin_is_https_outside_the_demo(tmp_path: Path) -> None:
    for origin, environment, allowed in (
        ("http://localhost:1", Environment.TEST, False),
        ("http://localhost:1", Environment.DEMO, True),
        ("http://auth.example.org", Environment.DEMO, False),
    ):
        config = service_config(tmp_path, {"journal": KEY}, origin=origin, environment=environment)
        if allowed:
            make_context(config, LeafOnlyJudge())
        else:
            with pytest.raises(ValueError, match="origin"):
                make_context(config, LeafOnlyJudge())


def test_keys_are_made_once_and_for_the_owner(tmp_path: Path) -> None:
    first, again = (load_or_create_key(tmp_path / "a" / "key.pem") for _ in range(2))
    assert first.private_numbers() == again.private_numbers()
    assert load_or_create_secret(tmp_path / "secret") == load_or_create_secret(tmp_path / "secret")
    if os.name == "posix":
        for name in ("a/key.pem", "secret"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(ValueError, match="32"):
        load_or_create_secret(tmp_path / "secret")
    (tmp_path / "secret").write_bytes(b"")
    with pytest.raises(ValueError, match="PEM"):
        load_or_create_key(tmp_path / "secret")


def test_trust_configuration(tmp_path: Path) -> None:
    config = service_config(tmp_path, {"journal": KEY})
    key = make_context(config, LeafOnlyJudge()).issuer.jwk
    write_trust_configuration(tmp_path / "services.json", config, key)
    [entry] = json.loads((tmp_path / "services.json").read_text())["services"]
    assert entry == {
        "id": "demo",
        "origin": config.origin,
        "display_name": {"sv": "Exempeltjänst", "en": "Example service"},
        "environment": "test",
        "order_keys": [msgspec.to_builtins(key)],
    }


@pytest.fixture
def anchors(pki: VirtualPki, tmp_path: Path) -> Path:
    path = tmp_path / "anchors.pem"
    path.write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    return path


def test_demonstration_in_process(anchors: Path, tmp_path: Path, holder: Holder) -> None:
    with start_demo(DemoOptions(anchors=anchors, state_directory=tmp_path / "state")) as backend:
        trust = json.loads(backend.trust_configuration.read_text())
        assert trust["services"][0]["origin"] == backend.service_origin
        with httpx.Client(trust_env=False, follow_redirects=True) as browser:
            metadata = browser.get(f"{backend.service_origin}/.well-known/oob-eid")
            assert metadata.json()["origin"] == backend.service_origin
            assert "server" not in metadata.headers
            page = browser.post(f"{backend.rp_origin}/login", data={"how": "same"})
            assert "siths:start?v=1" in page.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{backend.service_origin}/", trust_env=False)


def test_keys_stay_over_a_restart(anchors: Path, tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        with start_demo(DemoOptions(anchors=anchors, state_directory=tmp_path / "state")) as backend:
            keys.append(json.loads(backend.trust_configuration.read_text())["services"][0]["order_keys"])
    assert keys[0] == keys[1]


@pytest.mark.e2e
def test_demonstration_as_a_command(anchors: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "authservice",
        "--demo",
        "--anchors",
        str(anchors),
        "--state",
        str(tmp_path / "s"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert "Journalsystem Exempel" in httpx.get(ready["relying_party"], trust_env=False).text
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.e2e
def test_service_as_a_command(anchors: Path, tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as free:
        port = port_of(free)
    origin = f"http://localhost:{port}"
    config = write_config(tmp_path, origin=origin, environment="demo", port=port)
    trust = tmp_path / "services.json"
    command = [sys.executable, "-m", "authservice", "--config", str(config), "--write-trust", str(trust)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            while "answering requests" not in (line := process.stderr.readline()):
                assert line
            assert httpx.get(f"{origin}/.well-known/oob-eid", trust_env=False).json()["id"] == "demo"
            assert json.loads(trust.read_text())["services"][0]["origin"] == origin
        finally:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode in (0, -signal.SIGTERM)


def test_command_reports_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.json").write_text("{}")
    assert main(["--config", str(tmp_path / "bad.json")]) == 1
    assert "bad.json" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--demo"])


def test_taken_port_is_an_error() -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", port_of(taken))
