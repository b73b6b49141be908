# SPDX-License-Identifier: EUPL-1.2
"""The report holds what support asks for, and nobody's name: shown and saved byte for byte."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sithsapp.card.model import CardsState, SlotStatus
from sithsapp.card.service import CardService
from sithsapp.card.virtual.ca_profile import Person
from sithsapp.card.virtual.personalise import HSA_ID_PAIRS, PERSON_ID_PAIRS
from sithsapp.card.virtual.reader import VirtualReaders
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.support.checks.check import Outcome, Result, said
from sithsapp.support.recent import MetFailure
from sithsapp.support.redaction import Private, Redactor, serial_mark
from sithsapp.support.report.building import MAX_DESCRIPTION, Material, build, redactor_for, with_description
from sithsapp.support.report.parts import MAX_PART, Part, PartKind, Report, save, text_part, zip_file
from sithsapp.support.report.private import private_values
from sithsapp.support.report.versions import app_versions, versions_text
from tests.parts.canaries import Canaries
from tests.parts.settings import store_of
from tests.parts.virtual_card import CardFactory
from tests.support.desk import Scripted, StillSystem, cards, context
from tests.ui import samples

NOW = datetime(2026, 11, 28, 12, 0)
HOME = Path("/home/kvastfe")

PEOPLE = (
    Person(
        given_name="Kvastfenia",
        surname="Lundqvistsson",
        organisation="Region Exempel",
        hsa_id="TSTNMT2321000156-7K7L",
        personal_number="199909199391",
        upn="tstnmt2321000156-7k7l@exempel.test",
        card_number="9752269875000777777",
    ),
    Person(
        given_name="Åsa-Öl(.*)|",
        surname="<b>Ørnson</b>",
        organisation="Region Exempel",
        hsa_id="TSTNMT2321000156-QQ99",
        personal_number="198001019295",
        upn="asa.orn@exempel.test",
        card_number="9752269875000888888",
    ),
)
CODES = ("8049137265", "5730281946", "204816327395", "6172839405")


def identity(person: Person) -> dict[str, str]:
    names = (person.given_name, person.surname, person.hsa_id, person.personal_number, person.upn, person.card_number)
    return {f"{person.hsa_id} {number}": value for number, value in enumerate(names)}


@pytest.fixture
def inserted(make_card: CardFactory) -> Iterator[CardsState]:
    """Cards of several people, read by the app's own card service."""
    names = [f"Virtual reader {number}" for number in range(len(PEOPLE))]
    readers = VirtualReaders(names)
    for name, person in zip(names, PEOPLE, strict=True):
        readers.insert(make_card(person=person, pairs=HSA_ID_PAIRS + PERSON_ID_PAIRS), name)
    service = CardService([readers])
    service.start()
    try:
        yield _settled(service)
    finally:
        service.close()


def _settled(service: CardService) -> CardsState:
    from sithsapp.cli.card_service import settled

    state = settled(service)
    assert [slot.status for slot in state.slots] == [SlotStatus.READY] * len(PEOPLE)
    return state


def log_line(text: str, hours: float = 1) -> str:
    return f"{NOW - timedelta(hours=hours):%Y-%m-%d %H:%M:%S},000 WARNING MainThread sithsapp.x {text}\n"


def unpacked(report: Report, kinds: frozenset[PartKind] = frozenset(PartKind)) -> bytes:
    """Return everything in the file that would be saved, names and contents."""
    with zipfile.ZipFile(io.BytesIO(zip_file(report.chosen(kinds), report.made))) as archive:
        return b"\n".join(
            part for info in archive.infolist() for part in (info.filename.encode(), archive.read(info))
        )


def part(report: Report, name: str) -> str:
    return next(each.text for each in report.parts if each.name == name)


class TestCanaries:
    """Whatever comes to lie in logs, settings, readers' names and descriptions: nobody is named."""

    def hostile_material(self, state: CardsState, directory: Path) -> Material:
        token = "Xq3_" * 11
        words = [*CODES, token, "ward7-pc", "kvastfe", "/home/kvastfe/.config/x", f"siths:start?v=1&s=demo&t={token}"]
        words += [value for person in PEOPLE for value in identity(person).values()]
        words += [card.id.serial.hex() for card in state.cards]
        words += [credential.certificate.hex() for card in state.cards for credential in card.credentials]
        (directory / "tray.log").write_text("".join(log_line(f"leak {word} and {word}") for word in words))
        (directory / "cli.log").write_text(log_line(" ".join(words)))
        slots = tuple(replace(slot, reader=f"{PEOPLE[0].given_name}'s reader {CODES[0]}") for slot in state.slots)
        settings = store_of(virtual_card=f"/home/kvastfe/{PEOPLE[0].surname}", environment="test", language="xx")
        environment = {"USER": "kvastfe", "HOSTNAME": "ward7-pc.region.example", "COMPUTERNAME": "WARD7-PC"}
        desk = context(
            directory,
            replace(state, slots=slots),
            system=StillSystem(others=(f"Net iD of {PEOPLE[0].given_name}",)),
            settings=settings,
            environment=environment,
        )
        sentence = said("{title}: {hosts}", title=PEOPLE[0].surname, hosts="ward7-pc")
        results = [(Scripted(), Result(Outcome.PROBLEM, sentence, details=(" ".join(words),)))]
        met = [MetFailure(NOW, "P301", "sithsapp.oob.flow")]
        return Material(desk, results, "\n".join(words), "P301", met, HOME)

    def test_nothing_private_is_in_the_file(self, inserted: CardsState, tmp_path: Path) -> None:
        material = self.hostile_material(inserted, tmp_path)
        report = build(material, NOW)
        secrets = {f"code {code}": code for code in CODES}
        secrets |= {key: value for person in PEOPLE for key, value in identity(person).items()}
        secrets |= {"user": "kvastfe", "host": "ward7", "token": "Xq3_" * 8}
        secrets |= {f"serial {n}": card.id.serial.hex() for n, card in enumerate(inserted.cards)}
        content = unpacked(report)
        assert Canaries(secrets).find(content, "report") == set()
        for card in inserted.cards:
            for credential in card.credentials:
                assert credential.certificate not in content
                assert credential.certificate[40:60].hex().encode() not in content.lower()

    def test_what_support_needs_is_still_there(self, inserted: CardsState, tmp_path: Path) -> None:
        report = build(self.hostile_material(inserted, tmp_path), NOW)
        computer, certificates = part(report, "computer.txt"), part(report, "certificates.txt")
        for card in inserted.cards:
            assert card.id.atr.hex(" ").upper() in computer
            assert serial_mark(card.id.serial) in computer
        assert "TEST SITHS e-id Person HSA-id 3 CA v1" in certificates
        assert "valid: 20" in certificates
        assert "code auth: attempts left 3" in computer
        assert part(report, "description.txt").startswith("P301 Wrong code\n")
        assert "<personal-number>" in part(report, "log-tray.txt")

    def test_the_canaries_would_be_found(self, inserted: CardsState, tmp_path: Path) -> None:
        """Without the redactor the same material does leak: the proof above proves something."""
        material = self.hostile_material(inserted, tmp_path)
        raw = Redactor()
        raw.text = lambda text: text  # type: ignore[method-assign] # what a broken redactor would do
        report = with_description(build(material, NOW), material.description, "", raw)
        found = Canaries({"PIN": CODES[0], "name": PEOPLE[0].given_name}).find(unpacked(report), "report")
        assert len(found) == 2


class TestContents:
    def test_only_the_last_day_of_the_log(self, tmp_path: Path) -> None:
        (tmp_path / "tray.log").write_text(log_line("too old", 25) + log_line("C204 CARD_ERROR: recent", 2))
        report = build(Material(context(tmp_path)), NOW)
        assert "too old" not in part(report, "log-tray.txt")
        assert "C204 The card answered with an error: 1 in the log" in part(report, "failures.txt")

    def test_settings_say_who_set_them_and_hold_no_keys(self, tmp_path: Path) -> None:
        key = {"kty": "EC", "crv": "P-256", "kid": "key-2026", "x": "B" * 43, "y": "C" * 43}
        service = {
            "id": "s", "origin": "https://auth.example.test", "display_name": {"sv": "T", "en": "S"},
            "environment": "production", "order_keys": [key],
        }  # fmt: skip
        settings = store_of({"services": [service], "log_level": "warning"}, language="sv")
        text = part(build(Material(context(tmp_path, settings=settings)), NOW), "settings.txt")
        assert 'log_level (policy): "warning"' in text
        assert 'language (user): "sv"' in text
        assert "https://auth.example.test" in text
        assert "key-2026" in text
        assert "BBBB" not in text

    def test_a_card_that_cannot_be_read_keeps_its_failure(self, tmp_path: Path) -> None:
        state = cards(SlotStatus.FAILED, failure=Failure.CARD_MUTE)
        assert "failure: C202" in part(build(Material(context(tmp_path, state)), NOW), "computer.txt")

    def test_certificates_that_are_none_are_told_by_kind(self, tmp_path: Path) -> None:
        state = cards(SlotStatus.READY, samples.CARD)
        assert "cannot be read" in part(build(Material(context(tmp_path, state)), NOW), "certificates.txt")

    def test_a_service_that_is_gone(self, tmp_path: Path) -> None:
        state = CardsState(False, failure=Failure.READER_ACCESS_DENIED)
        assert "not running R104" in part(build(Material(context(tmp_path, state)), NOW), "computer.txt")

    def test_empty_parts_are_left_out(self, tmp_path: Path) -> None:
        names = {each.name for each in build(Material(context(tmp_path)), NOW).parts}
        assert names == {"computer.txt", "settings.txt"}

    def test_titles_of_failures_are_english_for_support(self, tmp_path: Path) -> None:
        set_language("sv")
        report = build(Material(context(tmp_path), number="N403"), NOW)
        assert part(report, "description.txt") == "N403 Cannot reach the authentication service\n\n\n"

    def test_the_description_is_replaced_and_bounded(self, tmp_path: Path) -> None:
        material = Material(context(tmp_path), description="before")
        report = with_description(build(material, NOW), "x" * 10 * MAX_DESCRIPTION, "", redactor_for(material))
        assert len(part(report, "description.txt")) <= MAX_DESCRIPTION + 1
        assert "before" not in unpacked(report).decode()
        emptied = with_description(report, "  \n", "", redactor_for(material))
        assert PartKind.DESCRIPTION not in {each.kind for each in emptied.parts}

    def test_versions(self) -> None:
        text = versions_text(app_versions())
        assert all(f"{name}: " in text for name in ("SITHS eID-app", "variant", "Python", "Qt", "OpenSSL"))


class TestBounds:
    def test_huge_logs_become_a_small_report(self, tmp_path: Path) -> None:
        line = log_line("x" * 1000)
        for role in ("tray", "cli", "link"):
            for suffix in ("", ".1", ".2", ".3"):
                (tmp_path / f"{role}.log{suffix}").write_text(line * 3000)
        report = build(Material(context(tmp_path)), NOW)
        assert all(len(each.content) <= MAX_PART + 100 for each in report.parts)
        assert sum(len(each.content) for each in report.parts) < 2_000_000

    def test_of_a_long_part_the_end_is_kept(self) -> None:
        made = text_part("log.txt", PartKind.LOG, "å" * MAX_PART + "the end")
        assert made.text.endswith("the end")
        assert len(made.content) <= MAX_PART + 10

    def test_a_lone_surrogate_is_no_crash(self) -> None:
        assert text_part("a", PartKind.LOG, "a\ud800b").text == "a?b"


class TestFile:
    PARTS = (Part("a.txt", PartKind.LOG, "å\r\n\x00".encode()), Part("b.txt", PartKind.COMPUTER, b"b"))

    def test_it_holds_what_was_shown_byte_for_byte(self, tmp_path: Path) -> None:
        save(tmp_path / "r.zip", self.PARTS, NOW, replace=False)
        with zipfile.ZipFile(tmp_path / "r.zip") as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == {
                each.name: each.content for each in self.PARTS
            }
            assert archive.testzip() is None
        assert stat.S_IMODE((tmp_path / "r.zip").stat().st_mode) == 0o600

    def test_parts_that_were_not_chosen_are_not_in_it(self) -> None:
        content = unpacked(Report(NOW, self.PARTS), frozenset({PartKind.LOG}))
        assert b"a.txt" in content
        assert b"b.txt" not in content

    def test_a_file_that_exists_stays_unless_it_may_be_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "r.zip"
        path.write_text("precious")
        with pytest.raises(SithsError, match="A950"):
            save(path, self.PARTS, NOW, replace=False)
        assert path.read_text() == "precious"
        save(path, self.PARTS, NOW, replace=True)
        assert zipfile.is_zipfile(path)

    @pytest.mark.parametrize("replace_", [True, False])
    def test_a_link_in_its_place_leads_nowhere(self, replace_: bool, tmp_path: Path) -> None:
        victim, path = tmp_path / "victim", tmp_path / "r.zip"
        victim.write_text("precious")
        path.symlink_to(victim)
        if replace_:
            save(path, self.PARTS, NOW, replace=True)
        else:
            with pytest.raises(SithsError, match="A950"):
                save(path, self.PARTS, NOW, replace=False)
        assert victim.read_text() == "precious"

    def test_places_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "d").mkdir()
        for path in (tmp_path / "no" / "r.zip", tmp_path / "d"):
            with pytest.raises(SithsError, match="A950"):
                save(path, self.PARTS, NOW, replace=True)
        assert os.listdir(tmp_path) == ["d"]


class TestPrivateValues:
    def test_user_home_and_host(self) -> None:
        found = private_values(CardsState(), {"USER": "annan", "HOSTNAME": "ward7.example"}, Path("/home/annan"))
        assert {Private("annan", "<user>"), Private("/home/annan", "~"), Private("ward7", "<host>")} <= set(found)

    def test_accounts_that_are_everybodys_are_no_secret(self) -> None:
        found = private_values(CardsState(), {"USER": "root"}, Path("/root"))
        assert "root" not in {each.value for each in found if each.mark == "<user>"}

    def test_double_names_are_known_by_each_part(self, make_card: CardFactory) -> None:
        person = replace(PEOPLE[0], given_name="Anna-Karin", surname="von Essen")
        readers = VirtualReaders()
        readers.insert(make_card(person=person))
        service = CardService([readers])
        service.start()
        try:
            service.wait_until_known(20)
            from sithsapp.cli.card_service import settled

            known = {each.value for each in private_values(settled(service), {}, Path("/"))}
        finally:
            service.close()
        assert {"Anna", "Karin", "Anna-Karin", "Essen"} <= known
