# SPDX-License-Identifier: EUPL-1.2
"""What is private goes, what support needs stays."""

from __future__ import annotations

import random
import time

import pytest

from sithsapp.support.redaction import Private, Redactor, is_personal_number, serial_mark

PLAIN = Redactor()


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        ("199909199391", True),
        ("19990919-9391", True),
        ("990919-9391", True),
        ("9909199391", True),
        ("990919+9391", True),
        ("199909799394", False),  # a co-ordination number with a wrong checksum
        ("199909199392", False),
        ("199913199391", False),
        ("19990919", False),
        ("٩٩٠٩١٩٩٣٩١", True),
    ],
)
def test_personal_numbers_are_known_by_their_checksum(number: str, is_one: bool) -> None:
    assert is_personal_number(number) is is_one


def test_a_coordination_number_is_one_too() -> None:
    candidates = [f"990979939{last}" for last in range(10)]
    assert sum(map(is_personal_number, candidates)) == 1


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("born 19990919-9391 there", "<personal-number>"),
        ("born 990919-9391.", "<personal-number>"),
        ("pnr=199909199391;", "<personal-number>"),
        ("x9909199391x", "<personal-number>"),
        ("990919 – 9391", "<personal-number>"),
        ("HSA SE2321000016-1003 x", "<hsa-id>"),
        ("tstnmt2321000156-7k7l", "<hsa-id>"),
        ("mail anna.andersson@region.example.se", "<mail>"),
        ("upn tstnmt2321000156-7k7l@exempel.test", "<mail>"),
        ("my code is 804913", "<digits>"),
        ("PIN:8049137265", "<digits>"),
        ("PIN804913", "<digits>"),
        ("card 9752 2698 7500 0777 777", "<digits>"),
        ("card 9752269875000777777", "<digits>"),
        ("siths:start?v=1&s=demo&t=" + "Ab3_" * 11, "<token>"),
        ("reference Hi8IrKSMoupxx9jIMQsnZH here", "<token>"),
        ("reference HiBIrKSMoupxxQjIMQsnZH here", "<token>"),
        ("DPoP eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJBbm5hIn0.c2ln", "<token>"),
        ("00 20 00 11 08 38 30 34 39 31 33 FF FF", "<octets>"),
        ("serial 9f1c2d3e4f5a6b7c8d", "<hex>"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----", "<certificate>"),
        ("-----BEGIN EC PRIVATE KEY-----\nMIIB", "<certificate>"),
        ("/home/annan/.config/x", "/home/<user>/.config/x"),
        (r"C:\Users\annan\AppData", r"C:\Users\<user>\AppData"),
        ("proxy http://anna:hemligt@proxy.example:8080", "//<user>@proxy.example:8080"),
    ],
)
def test_what_has_a_private_form_goes(text: str, mark: str) -> None:
    shown = PLAIN.text(text)
    assert mark in shown
    for word in ("9391", "804913", "7265", "777", "annan", "anna", "hemligt", "MIIB", "SE23", "Ab3_", "c2ln", "9f1c"):
        assert word not in shown


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-28 17:13:40,123 INFO MainThread sithsapp.card.pcsc smart card service found (SUCCESS)",
        "C204 CARD_ERROR: SELECT gave 6F00",
        "SCardConnect 0x80100069 on port 35963",
        "Debian GNU/Linux 12, kernel 6.1.0-18-amd64, OpenSSL 3.0.15",
        "https://auth.example.test:8443 answers in 120 ms",
        "00 A4 04 00 -> 9000",
        "[16 bytes withheld] -> 63C2",
        "N404 PROXY_FAILED: ProxyAuthenticationRequiredError",
        "sithsapp.card.idprime.contents certificate_chain_not_found",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "Gemalto USB Shell Token V2 00 00",
    ],
)
def test_what_support_needs_stays(text: str) -> None:
    assert PLAIN.text(text) == text


def test_known_values_go_in_any_case_and_composition() -> None:
    redactor = Redactor(
        [
            Private("Åsa Öberg", "<name>"),
            Private("Öberg", "<name>"),
            Private("ward7-pc", "<host>"),
            Private("al", "<user>"),
        ]
    )
    text = redactor.text("åsa öberg, A\u030asa O\u0308berg and ÖBERG on WARD7-PC; also normal")
    assert text == "<name>, <name> and <name> on <host>; also normal"


def test_a_known_value_inside_a_word_is_another_word() -> None:
    assert Redactor([Private("Lind", "<name>")]).text("Lindex is not lind.") == "Lindex is not <name>."


def test_redacting_twice_changes_nothing() -> None:
    redactor = Redactor([Private("Anna", "<name>")])
    once = redactor.text(
        "Anna 199909199391 /home/anna/x anna@example.test " + "f" * 40 + " 00 11 22 33 44 55 66 77 88"
    )
    assert redactor.text(once) == once


def test_a_long_hostile_text_takes_no_long_time() -> None:
    chosen = random.Random(7)  # noqa: S311 # the same signs each time, no secret
    samples = [
        "a@" * 50_000,
        "9" * 100_000,
        "00 " * 40_000,
        "-----BEGIN A-----" * 5_000,
        "eyJ" * 30_000,
        "a.a" * 30_000,
        "999 " * 30_000,
        "/home/" * 20_000,
        "A" * 100_000,
        "//a" * 30_000,
    ]
    samples.append("".join(chosen.choice("0123456789 -@/.eyJ:") for _ in range(100_000)))
    started = time.process_time()
    for sample in samples:
        Redactor([Private("Anna Andersson", "<name>")]).text(sample)
    assert time.process_time() - started < 5


def test_a_card_keeps_its_mark_and_not_its_number() -> None:
    assert serial_mark(b"\x01\x02") == serial_mark(b"\x01\x02") != serial_mark(b"\x01\x03")
    assert len(serial_mark(b"\x01\x02\x03")) == 8


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        ("0020001110 [16 bytes withheld] -> 63C2", "00 20 00 11 <octets> [16 bytes withheld] -> 63C2"),
        ("00200011 -> 63C2", "00 20 00 11 -> 63C2"),
        ("00A404000BA000000018 -> 9000", "00 A4 04 00 <octets> -> 9000"),
        ("8049137265 -> 9000", "<digits> -> 9000"),
    ],
)
def test_of_a_card_command_the_header_stays(logged: str, shown: str) -> None:
    line = f"DEBUG card worker sithsapp.card.iso7816 {logged}"
    assert PLAIN.text(line) == PLAIN.text(PLAIN.text(line)) == f"DEBUG card worker sithsapp.card.iso7816 {shown}"
