# SPDX-License-Identifier: EUPL-1.2
"""The page that waits for the app, its states, and the ends of an order (protocol section B12)."""

from __future__ import annotations

from typing import Final

from authservice.demo_rp.markup import NOTHING, Markup, fill, join
from authservice.demo_rp.pages import form_button, icon, link_button, message_page
from authservice.demo_rp.sessions import Outcome
from authservice.demo_rp.texts import Texts
from authservice.rp.session import Pending
from sithsapp.oob.protocol.order import Flow, OrderType
from sithsapp.oob.protocol.problems import Hint

SLOW_REFRESH: Final = 15
"""Seconds between reloads before the claim: a reload closes the browser's own question about the link."""

REFRESH: Final = 5
QR_REFRESH: Final = 3
"""Seconds between reloads of a QR page; a frame is good for five."""

_STEPS: Final = {Hint.OUTSTANDING: 0, Hint.STARTED: 1, Hint.CARD_WAIT: 1, Hint.USER_SIGN: 2, Hint.RETURN_PENDING: 3}

_HARMLESS: Final = (Hint.USER_CANCEL, Hint.CANCELLED, Hint.START_FAILED, Hint.EXPIRED_TRANSACTION)


def step_of(hint: Hint) -> int:
    """Return which of the four steps a pending order is at."""
    return _STEPS.get(hint, 0)


def waiting_page(t: Texts, pending: Pending, flow: Flow, hint: Hint) -> Markup:
    """Show how far the order is, and what to do."""
    typ = pending.request.typ
    return fill(
        """<section class="card narrow centred" data-order="{order}" data-hint="{hint}" aria-labelledby="what">
<span class="badge {style}">{symbol}</span><h1 id="what">{heading}</h1>
<p id="message" role="status">{message}</p>
{start}
<ol class="steps">{steps}</ol>
<div class="actions">{cancel}</div></section>""",
        order=pending.created.order,
        hint=hint.value,
        style="sign" if typ is OrderType.SIGN else "",
        symbol=icon("pen" if typ is OrderType.SIGN else "card"),
        heading=t("Sign with SITHS eID") if typ is OrderType.SIGN else t("Log in with SITHS eID"),
        message=hint_text(t, hint, typ, flow),
        start=_start(t, pending, flow) if hint is Hint.OUTSTANDING else NOTHING,
        steps=_steps(t, typ, step_of(hint)),
        cancel=form_button("/cancel", t("Cancel"), style="secondary"),
    )


def refresh_head(flow: Flow, hint: Hint) -> Markup:
    """Return the head element that reloads the page where there is no script."""
    seconds = REFRESH
    if hint is Hint.OUTSTANDING:
        seconds = QR_REFRESH if flow is Flow.OTHER else SLOW_REFRESH
    return Markup(f'<noscript><meta http-equiv="refresh" content="{seconds}; url=/login"></noscript>')


def ended_page(t: Texts, ended: Hint | Outcome, typ: OrderType) -> Markup:
    """Say why an order came to nothing."""
    kind = (
        "warn" if ended in (Hint.USER_CANCEL, Hint.CANCELLED, Hint.START_FAILED, Hint.EXPIRED_TRANSACTION) else "err"
    )
    heading = t("The signature was not made") if typ is OrderType.SIGN else t("You are not logged in")
    retry = link_button("/me" if typ is OrderType.SIGN else "/", t("Try again"))
    return message_page(kind, heading, end_text(t, ended), retry)


def elsewhere_page(t: Texts, target: str) -> Markup:
    """Tell the tab that waited that the job went on in another."""
    link = link_button(target, t("Go on here"), "secondary")
    return message_page("ok", t("Done"), t("You have continued in another tab. You can close this one."), link)


def other_browser_page(t: Texts) -> Markup:
    """Tell that this browser started nothing. Nothing about the user is disclosed."""
    actions = join(
        (
            link_button("/", t("Start again here")),
            form_button("/report", t("I did not start a log-in"), style="secondary"),
        )
    )
    text = t(
        "Go back to the browser or window where you started and begin again there. If you did not start anything "
        "yourself, somebody may be trying to log in as you."
    )
    return message_page("warn", t("This log-in was started in another browser"), text, actions)


def hint_text(t: Texts, hint: Hint, typ: OrderType, flow: Flow) -> str:
    """Say what the user should do now."""
    if hint is Hint.OUTSTANDING:
        return t("Open the app and scan the code.") if flow is Flow.OTHER else t("Start the app.")
    if hint in (Hint.STARTED, Hint.CARD_WAIT):
        return t("Insert the card in the reader.")
    if hint is Hint.RETURN_PENDING:
        return t("Done in the app. Go on in the tab that was opened.")
    if typ is OrderType.SIGN:
        return t("Enter your security code in the app and choose Sign.")
    return t("Enter your security code in the app and choose Identify.")


def end_text(t: Texts, ended: Hint | Outcome) -> str:
    """Say why an order came to nothing, and what to do."""
    unbound = t("The log-in could not be connected to your browser. Start again from the beginning.")
    return {
        Hint.START_FAILED: t("The app did not start. Is it installed?"),
        Hint.EXPIRED_TRANSACTION: t("The time ran out. Try again."),
        Hint.USER_CANCEL: t("The action was cancelled."),
        Hint.USER_SUSPICIOUS: t("You rejected the request. Contact your IT support."),
        Hint.CANCELLED: t("The action was cancelled. Try again."),
        Hint.CERTIFICATE_ERR: t("The card is revoked or too old."),
        Hint.CARD_BLOCKED: t("The code is locked. Unlock it with PUK."),
        Hint.NO_CARD: t("No card was inserted. Try again."),
        Hint.STATUS_UNAVAILABLE: t("The card's validity could not be checked just now."),
        Hint.CLIENT_TOO_OLD: t("Update the app."),
        Hint.DOUBLE_CLAIM: unbound,
        Hint.BINDING_FAILED: unbound,
        Hint.NOT_RETURNED: unbound,
        Outcome.TEXT_REFUSED: t("The text cannot be signed. Write a text without hidden signs."),
        Outcome.UNREACHABLE: t("The authentication service cannot be reached. Try again in a while."),
    }.get(ended, t("The log-in could not be verified. Start again from the beginning."))


def _start(t: Texts, pending: Pending, flow: Flow) -> Markup:
    if flow is Flow.OTHER:
        return fill(
            '<div data-until-claimed><div class="qr"><img id="frame" src="/login/qr.svg" alt="{alt}" width="270" '
            'height="270"></div><p class="quiet">{hint}</p></div>',
            alt=t("QR code for log-in"),
            hint=t("The code changes by itself. Scan it straight from the screen, and never for anybody else."),
        )
    return fill(
        '<div data-until-claimed><div class="actions"><a class="button {style}" id="launch" href="{href}">{label}</a>'
        '</div><p class="quiet" id="help">{help}</p></div>',
        style="sign" if pending.request.typ is OrderType.SIGN else "",
        href=pending.created.launch_url or "",
        label=t("Open the SITHS eID app"),
        help=t("Did nothing happen? The app may not be installed on this computer. Contact local IT."),
    )


def _steps(t: Texts, typ: OrderType, current: int) -> Markup:
    code = t("Enter the signing code") if typ is OrderType.SIGN else t("Enter the identification code")
    labels = (t("Open the app"), t("Insert the card"), code, t("Done"))
    classes = {-1: "done", 0: "now", 1: ""}
    return join(
        fill(
            '<li class="{style}"{current}>{label}</li>',
            style=classes[(number > current) - (number < current)],
            current=Markup(' aria-current="step"') if number == current else NOTHING,
            label=label,
        )
        for number, label in enumerate(labels)
    )
