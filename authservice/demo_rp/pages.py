# SPDX-License-Identifier: EUPL-1.2
"""The demonstration's pages: the frame around them, and the simple ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from authservice.demo_rp.markup import NOTHING, Markup, fill, join
from authservice.demo_rp.texts import LANGUAGES, Texts
from authservice.rp.principal import Principal
from sithsapp.oob.protocol.order import Binding
from sithsapp.pki.loa import UNCERTIFIED_LOA2, UNCERTIFIED_LOA3

_FRAME: Final = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – {name}</title>
<link rel="stylesheet" href="/static/style.css">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<script src="/static/login.js" defer></script>
{head}
</head>
<body>
<a class="skip" href="#main">{skip}</a>
<header><div class="bar">
<a class="brand" href="/">{mark}<span>{name}</span></a>
<span class="pill">{demonstration}</span>
<nav aria-label="{settings}">{languages}{log_out}</nav>
</div></header>
<main id="main" tabindex="-1">
{content}
</main>
<footer><div class="bar">{footer}</div></footer>
</body>
</html>
"""

_MARK: Final = Markup(
    '<svg viewBox="0 0 36 36" aria-hidden="true"><rect class="plate" width="36" height="36" rx="9"/>'
    '<path class="pulse" d="M6 19h5l3-8 5 15 4-10 2 3h5"/></svg>'
)

_ICONS: Final = {
    "monitor": '<rect x="2" y="3" width="20" height="14" rx="2"/><path d="M8 21h8M12 17v4"/>',
    "phone": '<rect x="6" y="2" width="12" height="20" rx="2"/><path d="M11 18h2"/>',
    "shield": '<path d="M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6z"/><path d="M9 12l2 2 4-4"/>',
    "pen": '<path d="M4 20h4L19 9l-4-4L4 16z"/><path d="M13.5 6.5l4 4"/>',
    "check": '<path d="M5 13l4 4L19 7"/>',
    "alert": '<path d="M12 4l9 16H3z"/><path d="M12 10v4M12 17v.5"/>',
    "cross": '<path d="M6 6l12 12M18 6L6 18"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 8v.5"/>',
    "card": '<rect x="2" y="5" width="20" height="14" rx="2"/><path d="M6 10h4v4H6zM14 15h4"/>',
}

_LEVELS: Final = {UNCERTIFIED_LOA2: 2, UNCERTIFIED_LOA3: 3}


@dataclass(frozen=True, slots=True)
class PageFrame:
    """What every page needs: its texts, the site's name, whether somebody is logged in."""

    texts: Texts
    name: str
    logged_in: bool = False

    def render(self, title: str, content: Markup, head: Markup = NOTHING) -> str:
        """Return the whole page."""
        t = self.texts
        return fill(
            _FRAME,
            language=t.language,
            title=title,
            name=self.name,
            head=head,
            skip=t("Skip to the contents"),
            mark=_MARK,
            demonstration=t("Demonstration"),
            settings=t("Settings"),
            languages=_language_form(t),
            log_out=_log_out_form(t) if self.logged_in else NOTHING,
            content=content,
            footer=t("A fictional service that shows how a log-in with a SITHS card works. No data here is real."),
        )


def icon(name: str) -> Markup:
    """Return a decorative icon."""
    return Markup(f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{_ICONS[name]}</svg>')


def form_button(action: str, label: str, *, style: str = "", symbol: Markup = NOTHING, **fields: str) -> Markup:
    """Return a form that posts `fields` and looks like one button."""
    inputs = join(
        fill('<input type="hidden" name="{name}" value="{value}">', name=name, value=value)
        for name, value in fields.items()
    )
    return fill(
        '<form method="post" action="{action}">{inputs}'
        '<button class="button {style}" type="submit">{symbol}{label}</button></form>',
        action=action,
        inputs=inputs,
        style=style,
        symbol=symbol,
        label=label,
    )


def start_page(t: Texts, name: str, *, offers_other: bool) -> Markup:
    """Offer the ways to log in."""
    buttons = [
        form_button("/login", t("Log in with SITHS eID on this device"), symbol=icon("monitor"), how="same"),
    ]
    if offers_other:
        label = t("Log in with SITHS eID on another device")
        buttons.append(form_button("/login", label, style="secondary", symbol=icon("phone"), how="other"))
    return fill(
        """<div class="columns">
<div><h1>{heading}</h1><p class="lead">{lead}</p><ol class="ways">{ways}</ol></div>
<section class="card" aria-labelledby="log-in"><h1 id="log-in">{log_in}</h1><p class="quiet">{hint}</p>
<div class="actions">{buttons}</div></section></div>""",
        heading=t("The record is where the care is"),
        lead=t("{name} is a fictional record system. Log in with your card and a six-digit code.", name=name),
        ways=join(
            fill("<li>{symbol}<span>{text}</span></li>", symbol=icon(symbol), text=text)
            for symbol, text in (
                ("monitor", t("The app shows who asks, and what for.")),
                ("card", t("The card signs, the code stays on this computer.")),
                ("shield", t("The app comes back to this browser, and to no other.")),
            )
        ),
        log_in=t("Log in"),
        hint=t("You need a SITHS card, a card reader and the SITHS eID app."),
        buttons=join(buttons),
    )


def me_page(t: Texts, principal: Principal) -> Markup:
    """Say who she is, and how that is known."""
    return fill(
        """<div class="columns top"><section class="card" aria-labelledby="who">
<span class="badge ok">{shield}</span><h1 id="who">{welcome}</h1><p class="quiet">{logged_in}</p>{facts}</section>
<section class="card" aria-labelledby="sign"><span class="badge sign">{pen}</span><h1 id="sign">{sign}</h1>
<p class="quiet">{sign_hint}</p>
<form method="post" action="/sign"><div class="field"><label for="text">{label}</label>
<textarea id="text" name="text" maxlength="1000" required>{text}</textarea></div>
<button class="button sign" type="submit">{pen}{sign_button}</button></form></section></div>""",
        shield=icon("shield"),
        welcome=t("Welcome, {name}", name=principal.given_name or principal.name),
        logged_in=t("You are logged in. This is what the service knows about you."),
        facts=facts(t, principal),
        pen=icon("pen"),
        sign=t("Sign a text"),
        sign_hint=t("The whole text is shown in the app before you sign. Then you use your signing code."),
        label=t("Text to sign"),
        text=t("I have read the instruction for handling the cold storage and will follow it."),
        sign_button=t("Sign with SITHS eID"),
    )


def signed_page(t: Texts, principal: Principal) -> Markup:
    """Show a signature that was verified."""
    verified_at = principal.evidence.verified_at if principal.evidence else ""
    return fill(
        """<section class="card narrow" aria-labelledby="signed"><span class="badge ok">{check}</span>
<h1 id="signed">{heading}</h1><p class="letter">{text}</p>{facts}
<p class="quiet">{proof}</p><a class="button secondary" href="/me">{back}</a></section>""",
        check=icon("check"),
        heading=t("You have signed"),
        text=principal.text,
        facts=facts(t, principal),
        proof=t(
            "Verified {time}. The evidence can be verified again years later, with the root certificate alone.",
            time=verified_at,
        ),
        back=t("Back"),
    )


def message_page(kind: str, heading: str, text: str, actions: Markup) -> Markup:
    """Show one message. `kind` is ok, warn or err."""
    symbols = {"ok": "check", "warn": "alert", "err": "cross"}
    return fill(
        """<section class="card narrow centred" aria-labelledby="what"><span class="badge {kind}">{symbol}</span>
<h1 id="what">{heading}</h1><p>{text}</p><div class="actions">{actions}</div></section>""",
        kind=kind,
        symbol=icon(symbols[kind]),
        heading=heading,
        text=text,
        actions=actions,
    )


def link_button(href: str, label: str, style: str = "") -> Markup:
    """Return a link that looks like a button."""
    return fill('<a class="button {style}" href="{href}">{label}</a>', style=style, href=href, label=label)


def facts(t: Texts, principal: Principal) -> Markup:
    """List what the certificate and the protocol say about the person."""
    level = _LEVELS.get(principal.loa)
    rows = (
        (t("Name"), principal.name),
        (t("HSA-id"), principal.hsaid),
        (t("Personal identity number"), principal.personal_number),
        (t("Organisation"), principal.organisation),
        (t("Assurance level"), t("LoA {n} (not certified)", n=level) if level else principal.loa),
        (t("Issued by"), principal.issuer),
        (t("Connected to this browser"), binding_text(t, principal.binding)),
        (t("Reference"), principal.order),
    )
    items = (
        fill("<div><dt>{term}</dt><dd>{value}</dd></div>", term=term, value=value) for term, value in rows if value
    )
    return fill('<dl class="facts">{items}</dl>', items=join(items))


def binding_text(t: Texts, binding: Binding) -> str:
    """Say how the result was tied to the browser."""
    return {
        Binding.RETURN: t("Yes: the app came back to the browser that started"),
        Binding.CODE: t("Yes: with a code from the app"),
        Binding.QR: t("No: by QR code, which can be relayed"),
        Binding.NONE: t("No"),
    }[binding]


def _language_form(t: Texts) -> Markup:
    return join(
        fill(
            '<form class="inline" method="post" action="/language"><input type="hidden" name="to" value="{code}">'
            '<button class="button secondary" type="submit" lang="{code}">{name}</button></form>',
            code=code,
            name=name,
        )
        for code, name in LANGUAGES.items()
        if code != t.language
    )


def _log_out_form(t: Texts) -> Markup:
    return fill(
        '<form class="inline" method="post" action="/logout">'
        '<button class="button secondary" type="submit">{label}</button></form>',
        label=t("Log out"),
    )
