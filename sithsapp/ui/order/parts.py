# SPDX-License-Identifier: EUPL-1.2
"""Parts that several pages of an order share: header, facts, notices, texts to read, identity."""

from __future__ import annotations

from math import ceil

from sithsapp.card.model import Card, Credential
from sithsapp.locale import tr
from sithsapp.oob.interaction import EnterPin, OpenOrder
from sithsapp.oob.protocol.order import Document, Flow, Order, OrderType
from sithsapp.ui import plain
from sithsapp.ui.elements import Accent, Choice, Fact, Identity, Notice, Reading, Severity
from sithsapp.ui.environment import environment_name
from sithsapp.ui.holder import Describe, Holder
from sithsapp.ui.order.page import Header

NAME_LIMIT = 64
_SHORT_TEXT = 120
_REFERENCE_LENGTH = 8
_DIGEST_LENGTH = 12


def accent(order: Order) -> Accent:
    """Return the colour of an order's window."""
    return Accent.SIGN if order.typ is OrderType.SIGN else Accent.AUTH


def asker(order: Order) -> str:
    """Return the name of who asks, fit to be shown."""
    return plain.line(order.rp.name, NAME_LIMIT)


def header(opened: OpenOrder, *, ended: bool = False) -> Header:
    """Return the header; an order that has ended has no countdown."""
    order = opened.order
    sign = order.typ is OrderType.SIGN
    sentence = tr("{rp} asks for your signature") if sign else tr("{rp} asks you to identify yourself")
    return Header(
        accent=accent(order),
        kind=tr("Signature") if sign else tr("Identification"),
        who=asker(order),
        wants=tr("asks for your signature") if sign else tr("asks you to identify yourself"),
        sentence=sentence.format(rp=asker(order)),
        environment=environment_name(opened.environment),
        deadline=None if ended else opened.deadline,
        more_time=tr("More time") if opened.can_extend and not ended else "",
    )


def facts(order: Order) -> tuple[Fact, ...]:
    """Return what is known of the order apart from who asks."""
    found = []
    if order.on_behalf_of is not None:
        found.append(Fact(tr("Service"), plain.line(order.on_behalf_of.name, NAME_LIMIT)))
    if order.typ is OrderType.AUTH and _is_short(order.text.body):
        found.append(Fact(tr("Purpose"), plain.line(order.text.body, _SHORT_TEXT)))
    other = order.flow is Flow.OTHER
    found.append(Fact(tr("Started from"), tr("Another device (QR code)") if other else tr("This computer")))
    if other and order.context is not None:
        context = (order.context.browser, order.context.os, order.context.network)
        found += [Fact(tr("That device"), plain.line(", ".join(filter(None, context))))] if any(context) else []
    return tuple(found)


def reference(order: Order) -> str:
    """Return the short name of the order, by which support can find it."""
    return tr("Reference {reference}").format(reference=order.order[:_REFERENCE_LENGTH])


def notices(order: Order) -> tuple[Notice, ...]:
    """Return the warnings that an order carries with it."""
    if order.flow is not Flow.OTHER:
        return ()
    return (
        Notice(
            Severity.WARNING,
            tr("The request comes from another device."),
            tr("Go on only if you scanned the QR code yourself. Let nobody tell you to."),
        ),
    )


def readings(order: Order) -> tuple[Reading, ...]:
    """Return the texts that are read in a box: what is signed, or a long purpose."""
    if order.typ is OrderType.AUTH:
        purpose = Reading(tr("Purpose"), plain.block(order.text.body))
        return () if _is_short(order.text.body) else (purpose,)
    reminder = tr("Read the whole text to be able to sign.")
    found = [Reading(tr("This is what you sign"), plain.block(order.text.body), reminder)]
    attached = _attachments(order)
    if attached:
        found.append(Reading(tr("Documents that you sign"), "\n\n".join(attached), reminder))
    return tuple(found)


def _attachments(order: Order) -> list[str]:
    documents = order.docs or []
    found = [_document(number, len(documents), document) for number, document in enumerate(documents, 1)]
    if order.hidden_s256:
        digest = tr("Checksum {digest}").format(digest=order.hidden_s256[:_DIGEST_LENGTH])
        found.append("\n".join((tr("Data that is not shown"), digest)))
    return found


def _document(number: int, count: int, document: Document) -> str:
    heading = tr("Document {number} of {count}").format(number=number, count=count)
    size = tr("{size} kB, checksum {digest}")
    shown = size.format(size=ceil(document.size / 1000), digest=document.digest[:_DIGEST_LENGTH])
    return "\n".join((heading, plain.line(document.name), shown))


def identity(view: EnterPin, describe: Describe) -> Identity:
    """Return who the person acts as, and the other cards that would do."""
    holder = describe(view.credential)
    sign = view.open_order.order.typ is OrderType.SIGN
    return Identity(
        caption=tr("You sign as") if sign else tr("You identify yourself as"),
        name=plain.line(holder.name or view.card.label, NAME_LIMIT),
        details=details(holder),
        switch=tr("Switch card"),
        choices=_choices(view, describe),
    )


def details(holder: Holder) -> tuple[str, ...]:
    """Return what is shown beneath a holder's name."""
    return tuple(plain.line(text, NAME_LIMIT) for text in (holder.organisation, holder.identifier) if text)


def _choices(view: EnterPin, describe: Describe) -> tuple[Choice, ...]:
    if len(view.choices) < 2:
        return ()
    return tuple(_choice(card, credential, view, describe) for card, credential in view.choices)


def _choice(card: Card, credential: Credential, view: EnterPin, describe: Describe) -> Choice:
    holder = describe(credential)
    words = (holder.name or card.label, holder.organisation, credential.label, card.id.reader)
    return Choice(
        card.id,
        credential.id,
        " · ".join(plain.line(word, NAME_LIMIT) for word in words if word),
        card.id == view.card.id and credential.id == view.credential.id,
    )


def _is_short(text: str) -> bool:
    return len(text) <= _SHORT_TEXT and "\n" not in text
