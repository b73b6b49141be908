# SPDX-License-Identifier: EUPL-1.2
"""Every transition of the life cycle, and every one that is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authservice.orders import machine
from authservice.orders.machine import TransitionRefusedError
from authservice.orders.record import COMPLETE_KEPT, FAILED_KEPT, OrderRecord, State
from sithsapp.oob.protocol.order import Binding
from sithsapp.oob.protocol.problems import Hint
from tests.authservice.records import CLAIM, NOW, VERIFIER, claimed, outstanding, signature, signed


def test_no_claim_in_time() -> None:
    record = outstanding()
    assert machine.settle(record, NOW + 59.9) is record
    late = machine.settle(record, NOW + 60)
    assert (late.state, late.hint) == (State.FAILED, Hint.START_FAILED)
    assert late.version == record.version + 1


def test_claim_binds_and_begins_the_life() -> None:
    record = claimed(life=180)
    assert (record.state, record.hint, record.deadline) == (State.CLAIMED, Hint.STARTED, NOW + 180)
    assert "key" in record.token_hashes


def test_second_claim_ends_the_order() -> None:
    record = claimed()
    assert record.claim is not None
    again = machine.claim(record, record.claim, "other", NOW + 1)
    assert (again.state, again.hint) == (State.FAILED, Hint.DOUBLE_CLAIM)


def test_life_runs_out() -> None:
    late = machine.settle(claimed(life=60), NOW + 60)
    assert (late.state, late.hint) == (State.FAILED, Hint.EXPIRED_TRANSACTION)


def test_more_time_is_given_once() -> None:
    record = machine.extend(claimed(life=180))
    assert record.deadline == NOW + 360
    assert record.claim is not None
    assert record.claim.extended
    with pytest.raises(TransitionRefusedError):
        machine.extend(record)


def test_progress_changes_the_hint_alone_and_five_times() -> None:
    record = claimed()
    for hint in (Hint.CARD_WAIT, Hint.USER_SIGN, Hint.CARD_WAIT, Hint.USER_SIGN, Hint.CARD_WAIT):
        record = machine.progress(record, hint)
        assert (record.state, record.hint) == (State.CLAIMED, hint)
    assert machine.progress(record, Hint.USER_SIGN) is record


def test_third_wrong_certificate_ends_the_order() -> None:
    record = machine.wrong_certificate(machine.wrong_certificate(claimed(), NOW), NOW)
    assert record.state is State.CLAIMED
    record = machine.wrong_certificate(record, NOW)
    assert (record.state, record.hint) == (State.FAILED, Hint.CERTIFICATE_ERR)


@pytest.mark.parametrize("hint", [Hint.CERTIFICATE_ERR, Hint.STATUS_UNAVAILABLE, Hint.CANCELLED])
def test_failure_forgets_the_signature(hint: Hint) -> None:
    failed = machine.fail(signed(), hint, NOW)
    assert (failed.state, failed.hint, failed.signature) == (State.FAILED, hint, None)


@pytest.mark.parametrize("binding", [Binding.RETURN, Binding.CODE])
def test_bound_signature_waits_for_redemption(binding: Binding) -> None:
    record = signed(binding=binding)
    assert (record.state, record.hint, record.deadline) == (State.SIGNED, Hint.RETURN_PENDING, NOW + 120)
    late = machine.settle(record, NOW + 120)
    assert (late.state, late.hint, late.signature) == (State.FAILED, Hint.NOT_RETURNED, None)


@pytest.mark.parametrize("binding", [Binding.QR, Binding.NONE])
def test_unbound_signature_completes(binding: Binding) -> None:
    assert signed(binding=binding).state is State.COMPLETE


def test_right_verifier_completes_and_may_be_repeated() -> None:
    record = machine.redeem_verifier(signed(), VERIFIER, NOW)
    assert record.state is State.COMPLETE
    assert machine.redeem_verifier(record, VERIFIER, NOW + 1) is record


def test_wrong_verifier_has_no_second_try() -> None:
    record = machine.redeem_verifier(signed(), "x" * 43, NOW)
    assert (record.state, record.hint) == (State.FAILED, Hint.BINDING_FAILED)
    with pytest.raises(TransitionRefusedError):
        machine.redeem_verifier(record, VERIFIER, NOW)


def test_wrong_verifier_does_not_undo_completion() -> None:
    record = machine.redeem_verifier(signed(), VERIFIER, NOW)
    with pytest.raises(TransitionRefusedError):
        machine.redeem_verifier(record, "x" * 43, NOW)


def test_code_has_three_tries() -> None:
    record = signed(binding=Binding.CODE)
    for _ in range(2):
        record = machine.redeem_code(record, "000000", NOW)
        assert record.state is State.SIGNED
    assert machine.redeem_code(record, "123456", NOW).state is State.COMPLETE
    record = machine.redeem_code(record, "000000", NOW)
    assert (record.state, record.hint) == (State.FAILED, Hint.BINDING_FAILED)


def test_code_does_not_redeem_a_return_nor_the_other_way() -> None:
    with pytest.raises(TransitionRefusedError):
        machine.redeem_code(signed(), "123456", NOW)
    with pytest.raises(TransitionRefusedError):
        machine.redeem_verifier(signed(binding=Binding.CODE), VERIFIER, NOW)


def test_results_are_kept_and_then_gone() -> None:
    complete = machine.redeem_verifier(signed(), VERIFIER, NOW)
    assert machine.settle(complete, NOW + COMPLETE_KEPT - 1) is complete
    gone = machine.settle(complete, NOW + COMPLETE_KEPT)
    assert (gone.state, gone.signature) == (State.GONE, None)
    failed = machine.cancel_by_relying_party(outstanding(), NOW)
    assert machine.settle(failed, NOW + FAILED_KEPT - 1) is failed
    assert machine.settle(failed, NOW + FAILED_KEPT).state is State.GONE


def test_nobody_looked_for_a_day() -> None:
    assert machine.settle(outstanding(), NOW + 86_400).state is State.GONE


@pytest.mark.parametrize("make", [outstanding, claimed, signed])
def test_relying_party_may_cancel_what_is_pending(make: Callable[[], OrderRecord]) -> None:
    record = machine.cancel_by_relying_party(make(), NOW)
    assert (record.state, record.hint) == (State.FAILED, Hint.CANCELLED)
    assert machine.cancel_by_relying_party(record, NOW) is record


@pytest.mark.parametrize(
    "hint", [Hint.USER_CANCEL, Hint.USER_SUSPICIOUS, Hint.CARD_BLOCKED, Hint.NO_CARD, Hint.CANCELLED]
)
def test_app_may_cancel_what_it_claimed(hint: Hint) -> None:
    record = machine.cancel_by_app(claimed(), hint, NOW)
    assert (record.state, record.hint) == (State.FAILED, hint)
    assert machine.cancel_by_app(record, hint, NOW) is record


COMPLETE = machine.redeem_verifier(signed(), VERIFIER, NOW)
FAILED = machine.fail(outstanding(), Hint.CANCELLED, NOW)
GONE = machine.settle(FAILED, NOW + 1000)
EVENTS: dict[str, Callable[[OrderRecord], OrderRecord]] = {
    "claim": lambda record: machine.claim(record, CLAIM, "key", NOW),
    "progress": lambda record: machine.progress(record, Hint.CARD_WAIT),
    "extend": machine.extend,
    "wrong certificate": lambda record: machine.wrong_certificate(record, NOW),
    "sign": lambda record: machine.sign(record, signature(), NOW),
    "verifier": lambda record: machine.redeem_verifier(record, VERIFIER, NOW),
    "cancel": lambda record: machine.cancel_by_relying_party(record, NOW),
    "app cancel": lambda record: machine.cancel_by_app(record, Hint.USER_CANCEL, NOW),
}
REFUSED = {
    "claim": [signed(), COMPLETE, FAILED, GONE],
    "progress": [outstanding(), signed(), COMPLETE, FAILED, GONE],
    "extend": [outstanding(), signed(), COMPLETE, FAILED, GONE],
    "wrong certificate": [outstanding(), signed(), COMPLETE, FAILED, GONE],
    "sign": [outstanding(), signed(), COMPLETE, FAILED, GONE],
    "verifier": [outstanding(), claimed(), FAILED, GONE],
    "cancel": [COMPLETE, GONE],
    "app cancel": [outstanding(), signed(), COMPLETE, GONE],
}


@pytest.mark.parametrize(
    ("event", "record"),
    [
        pytest.param(event, record, id=f"{event}-{record.state.value}")
        for event, records in REFUSED.items()
        for record in records
    ],
)
def test_everything_else_is_refused(event: str, record: OrderRecord) -> None:
    with pytest.raises(TransitionRefusedError):
        EVENTS[event](record)
