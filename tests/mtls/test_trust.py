# SPDX-License-Identifier: EUPL-1.2
"""Trust in browsers' stores: added for web servers alone, taken back without a trace. NSS is real."""

from __future__ import annotations

import hashlib
import shutil
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.local_ca import issue_once
from sithsapp.mtls.trust import Held, StoreReport, TrustStore, look, run, trust, untrust
from sithsapp.mtls.trust_macos import LoginKeychain
from sithsapp.mtls.trust_nss import NssDatabase, find_databases
from sithsapp.mtls.trust_windows import WindowsRoot

CERTUTIL = shutil.which("certutil") or ""
real_nss = pytest.mark.skipif(not CERTUTIL, reason="certutil is not installed")


def authority() -> bytes:
    return issue_once(("portal.example",), datetime.now(UTC)).authority


def tool(directory: Path, *arguments: str) -> str:
    command = [CERTUTIL, *arguments, "-d", f"sql:{directory}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout


def other_certificate(directory: Path) -> None:
    """Put somebody else's CA into a database."""
    pem = directory / "other.pem"
    key = directory / "other-key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Region CA"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(pem)], capture_output=True, timeout=20, check=True)
    tool(directory, "-A", "-n", "Region CA", "-t", "C,,", "-a", "-i", str(pem))


@pytest.fixture
def database(tmp_path: Path) -> NssDatabase:
    return NssDatabase("Firefox", tmp_path / "profile", CERTUTIL)


@real_nss
class TestNss:
    def test_a_missing_database_is_made_and_trusts_for_web_servers_only(
        self, database: NssDatabase, tmp_path: Path
    ) -> None:
        present = authority()
        assert database.held(()) == ()
        database.add(present)
        assert database.held(()) == (Held(present),)
        flags = [line.split()[-1] for line in tool(tmp_path / "profile", "-L").splitlines() if "SITHS" in line]
        assert flags == ["C,,"]

    def test_removing_leaves_what_is_others(self, database: NssDatabase, tmp_path: Path) -> None:
        present = authority()
        database.add(present)
        other_certificate(tmp_path / "profile")
        database.remove(present)
        assert database.held(()) == ()
        assert "Region CA" in tool(tmp_path / "profile", "-L")
        assert "SITHS" not in tool(tmp_path / "profile", "-L")

    def test_a_trust_that_the_person_took_away_is_seen_and_can_be_given_again(
        self, database: NssDatabase, tmp_path: Path
    ) -> None:
        present = authority()
        database.add(present)
        lines = tool(tmp_path / "profile", "-L").splitlines()
        name = next(line for line in lines if "SITHS" in line).rsplit(None, 1)[0].strip()
        tool(tmp_path / "profile", "-M", "-n", name, "-t", "p,,")
        assert database.held(()) == (Held(present, trusted=False),)
        (report,) = trust([database], present, [present])
        assert report.trusted

    def test_a_database_with_a_main_password_is_told(self, database: NssDatabase, tmp_path: Path) -> None:
        profile = tmp_path / "profile"
        profile.mkdir()
        (tmp_path / "password").write_text("correct horse")
        tool(profile, "-N", "-f", str(tmp_path / "password"))
        (report,) = trust([database], authority(), [])
        assert not report.trusted
        assert report.failure is not None
        assert report.failure.failure is Failure.TRUST_NOT_CHANGED

    def test_a_damaged_database_is_told_and_stops_nobody(self, database: NssDatabase, tmp_path: Path) -> None:
        (tmp_path / "profile").mkdir()
        (tmp_path / "profile" / "cert9.db").write_bytes(b"not a database" * 100)
        sound = NssDatabase("Chromium", tmp_path / "nssdb", CERTUTIL)
        present = authority()
        broken, well = trust([database, sound], present, [present])
        assert broken.failure is not None
        assert broken.failure.failure is Failure.TRUST_NOT_CHANGED
        assert (well.trusted, well.failure) == (True, None)

    def test_former_authorities_are_flagged_replaced_and_all_taken_out(self, database: NssDatabase) -> None:
        first, second = authority(), authority()
        database.add(first)
        assert look([database], second, [first, second]) == (StoreReport(database.name, False, 1),)
        assert trust([database], second, [first, second]) == (StoreReport(database.name, True, 0),)
        assert database.held(()) == (Held(second),)
        database.add(first)
        assert untrust([database], []) == (StoreReport(database.name, False, 0),)
        assert database.held(()) == ()

    def test_a_certificate_that_is_not_ours_is_never_touched(self, database: NssDatabase) -> None:
        pem = Path(ssl.get_default_verify_paths().openssl_cafile or "/etc/ssl/certs/ca-certificates.crt")
        blocks = pem.read_text().split("-----END CERTIFICATE-----")
        der = ssl.PEM_cert_to_DER_cert(blocks[0].strip() + "\n-----END CERTIFICATE-----\n")
        for change in (database.add, database.remove):
            with pytest.raises(SithsError) as caught:
                change(der)
            assert caught.value.failure is Failure.TRUST_NOT_CHANGED


class TestFinding:
    def names(self, home: Path, programs: Path, environment: dict[str, str] | None = None) -> list[str]:
        found = find_databases(home, environment or {}, (), f"{programs}")
        return [store.name.split("(")[1].rstrip(")").removeprefix(f"{home}/") for store in found]

    def program(self, directory: Path, name: str) -> None:
        directory.mkdir(exist_ok=True)
        (directory / name).write_text("#!/bin/sh\n")
        (directory / name).chmod(0o755)

    def test_chromium_s_database_is_the_old_one_if_it_is_there_and_never_made_there(self, tmp_path: Path) -> None:
        programs, home = tmp_path / "bin", tmp_path / "home"
        self.program(programs, "certutil")
        assert self.names(home, programs) == []
        self.program(programs, "chromium")
        assert self.names(home, programs) == [".local/share/pki/nssdb"]
        elsewhere = {"XDG_DATA_HOME": f"{home}/data"}
        assert self.names(home, programs, elsewhere) == ["data/pki/nssdb"]
        (home / ".pki" / "nssdb").mkdir(parents=True)
        assert self.names(home, programs, elsewhere) == [".pki/nssdb"]

    def test_every_profile_that_firefox_knows_is_found(self, tmp_path: Path) -> None:
        programs, home = tmp_path / "bin", tmp_path / "home"
        self.program(programs, "certutil")
        for root in (".mozilla/firefox", ".config/mozilla/firefox"):
            (home / root / "abc.default").mkdir(parents=True)
            (home / root / "profiles.ini").write_text(
                "[General]\nStartWithLastProfile=1\n\n[Profile0]\nName=default\nIsRelative=1\nPath=abc.default\n\n"
                f"[Profile1]\nName=far\nIsRelative=0\nPath={home}/far\n\n[Profile2]\nPath=gone\n"
            )
        (home / "far").mkdir()
        assert self.names(home, programs) == [
            ".mozilla/firefox/abc.default",
            "far",
            ".config/mozilla/firefox/abc.default",
        ]

    def test_without_certutil_one_is_told_what_to_install(self, tmp_path: Path) -> None:
        (tmp_path / "home" / ".pki" / "nssdb").mkdir(parents=True)
        with pytest.raises(SithsError) as caught:
            self.names(tmp_path / "home", tmp_path / "bin")
        assert caught.value.failure is Failure.TRUST_TOOL_MISSING


class FakeTool:
    """Stands in for a system's own program; knows what was asked of it and what the store holds."""

    def __init__(self, listing: str) -> None:
        self.listing = listing
        self.store: list[bytes] = []
        self.calls: list[list[str]] = []

    def __call__(self, command: Sequence[str]) -> bytes:
        self.calls.append(list(command))
        words = set(command)
        if words & {"-addstore", "add-trusted-cert"}:
            self.store.append(ssl.PEM_cert_to_DER_cert(Path(command[-1]).read_text()))
        elif words & {"-delstore", "delete-certificate"}:
            wanted = next(each.lower() for each in command if len(each) in (40, 64))
            self.store = [each for each in self.store if wanted not in self._digests(each)]
        elif words & {"-store", "find-certificate"}:
            return "\n".join(self.listing.format(*self._digests(each)) for each in self.store).encode()
        return b""

    def _digests(self, der: bytes) -> tuple[str, str]:
        return hashlib.sha1(der, usedforsecurity=False).hexdigest(), hashlib.sha256(der).hexdigest()


def exercise(store: TrustStore) -> None:
    first, second = authority(), authority()
    known = [first, second]
    assert trust([store], first, known) == (StoreReport(store.name, True, 0),)
    assert look([store], second, known) == (StoreReport(store.name, False, 1),)
    assert trust([store], second, known) == (StoreReport(store.name, True, 0),)
    assert untrust([store], known) == (StoreReport(store.name, False, 0),)


def test_windows_current_user_store_is_used_and_no_other() -> None:
    fake = FakeTool("================ Certificate 0 ================\nCerthash(sha1): {0}\n")
    exercise(WindowsRoot(fake))
    assert fake.store == []
    assert all(call[0].endswith("certutil.exe") and call[1] == "-user" for call in fake.calls)


def test_macos_login_keychain_is_used_and_no_other(tmp_path: Path) -> None:
    fake = FakeTool("SHA-256 hash: {1}\nSHA-1 hash: {0}\nkeychain: login\n")

    def in_capitals(command: Sequence[str]) -> bytes:
        return fake(command).upper().replace(b"HASH", b"hash")

    exercise(LoginKeychain(in_capitals, tmp_path))
    assert fake.store == []
    assert all(call[0] == "/usr/bin/security" for call in fake.calls)
    assert all("-d" not in call for call in fake.calls)  # which would mean every user of the computer
    assert all("login.keychain-db" in " ".join(call) for call in fake.calls if "remove-trusted-cert" not in call)


def test_a_program_that_fails_or_is_missing_is_a_numbered_failure(tmp_path: Path) -> None:
    for command in (["/bin/sh", "-c", "echo no such thing >&2; exit 3"], [str(tmp_path / "none")]):
        with pytest.raises(SithsError) as caught:
            run(command)
        assert caught.value.failure is Failure.TRUST_NOT_CHANGED
    assert run(["/bin/sh", "-c", "echo $LC_ALL; cat"]) == b"C\n"  # no input to wait for
