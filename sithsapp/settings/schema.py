# SPDX-License-Identifier: EUPL-1.2
"""The settings, typed and bounded. Every source is checked against this one schema."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct


def _whole(pattern: str) -> Meta:
    """Return the constraint that all of a value matches; a bare `$` would let a line feed follow."""
    return Meta(pattern=f"^(?:{pattern})$(?!\\n)")


EnvironmentName = Literal["production", "qa", "test", "demo"]
ServiceId = Annotated[str, _whole(r"[a-z0-9]{1,12}")]
Origin = Annotated[str, _whole(r"https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?")]
Coordinate = Annotated[str, _whole(r"[A-Za-z0-9_-]{43}")]
ModulePath = Annotated[str, _whole(r"([A-Za-z]:)?[/\\][^\x00-\x1f]{1,4090}")]
HostAndPort = Annotated[str, _whole(r"[a-z0-9.-]{1,253}:[0-9]{1,5}")]
AlpnName = Annotated[str, _whole(r"[!-~]{1,32}")]
FilePath = Annotated[str, Meta(min_length=1, max_length=4096)]
ProxyChoice = Annotated[str, _whole(r"system|none|(http|socks5)://[a-z0-9.-]{1,253}:[0-9]{1,5}")]
_PAC_WAY = r"(DIRECT|(PROXY|HTTPS|SOCKS5?) [a-zA-Z0-9.-]{1,253}:[0-9]{1,5})"
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"({_LABEL}\.)*[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?")


class _Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every part of the settings: unknown members are refused."""


class DisplayName(_Section, frozen=True):
    """A name in both languages."""

    sv: Annotated[str, Meta(min_length=1, max_length=64)]
    en: Annotated[str, Meta(min_length=1, max_length=64)]


class OrderKey(_Section, frozen=True):
    """A service's order-signing key: a P-256 public key as JWK (RFC 7517), pinned."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    kid: Annotated[str, _whole(r"[A-Za-z0-9._-]{1,64}")]
    x: Coordinate
    y: Coordinate


class TrustedService(_Section, frozen=True):
    """An authentication service that the app may contact; it contacts nobody else (protocol section B1)."""

    id: ServiceId
    origin: Origin
    display_name: DisplayName
    environment: EnvironmentName
    order_keys: Annotated[tuple[OrderKey, ...], Meta(min_length=1, max_length=8)]


class MtlsTarget(_Section, frozen=True, kw_only=True):
    """A server that asks for a client certificate, and how programs reach it.

    `name`             what the target is called in questions and listings.
    `listen`           the port on 127.0.0.1, in the modes `http` and `raw`.
    `host`, `port`     the server; its certificate must be for that name.
    `mode`             `http` looks at every request; `raw` carries any protocol, also what a web page sends;
                       `browser` is for web browsers, which reach the server under its own name by the local proxy.
    `ca`               PEM files with CAs for this server, besides the operating system's.
    `allowed_hosts`    further names by which programs may call the forward, besides `127.0.0.1` and `localhost`.
    `alpn`             protocols to offer the server; `http/1.1` where it is empty and the mode is `http`.
    `oldest_tls`       `1.3` to refuse what is older.
    `newest_tls`       `1.2` for servers that cannot ask for a certificate in TLS 1.3.
    `strict`           whether the server's chain must keep to RFC 5280 in every detail, which many CAs do not.
    `server_speaks_first`  in mode `raw`, whether the card is asked before the program has sent anything.
    `proxy`            the proxy on the way to this server, in the words of the app's own setting `proxy`, which holds
                       where this is not set.
    """

    name: Annotated[str, _whole(r"[a-z0-9][a-z0-9-]{0,31}")]
    listen: Annotated[int, Meta(ge=1024, le=65535)] | None = None
    host: Annotated[str, _whole(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")]
    port: Annotated[int, Meta(ge=1, le=65535)] = 443
    mode: Literal["http", "raw", "browser"] = "http"
    ca: Annotated[tuple[FilePath, ...], Meta(max_length=16)] = ()
    allowed_hosts: Annotated[tuple[HostAndPort, ...], Meta(max_length=16)] = ()
    alpn: Annotated[tuple[AlpnName, ...], Meta(max_length=4)] = ()
    oldest_tls: Literal["1.2", "1.3"] = "1.2"
    newest_tls: Literal["1.2", "1.3"] = "1.3"
    strict: bool = False
    server_speaks_first: bool = False
    proxy: ProxyChoice | None = None

    def __post_init__(self) -> None:
        """Refuse a forward without a port, and a browser's target that has one or is no host name."""
        if self.oldest_tls > self.newest_tls:
            raise ValueError(f"{self.name}: no version of TLS is left")
        if self.mode != "browser":
            if self.listen is None:
                raise ValueError(f"{self.name}: a forward needs a port to listen on")
        elif self.listen is not None or self.allowed_hosts or self.alpn or self.server_speaks_first:
            raise ValueError(f"{self.name}: listen, allowed_hosts, alpn and server_speaks_first are for forwards")
        elif not _HOST_NAME.fullmatch(self.host) or self.host.split(".")[-1] == "localhost":
            raise ValueError(f"{self.name}: browsers need a host name that is not this computer's")


class MtlsBrowser(_Section, frozen=True):
    """The local proxy for browsers, which exists while a target has the mode `browser`.

    `listen`           the port on 127.0.0.1; without it one that follows from the user, so that users of one
                       computer do not meet.
    `otherwise`        the way to all other servers, as a PAC file says it: `DIRECT`, or `PROXY host:port`; without it
                       the app's own way, which `proxy` says.
    `pac_file`         the organisation's own PAC file, which decides about all other servers in place of `otherwise`.
    """

    listen: Annotated[int, Meta(ge=1024, le=65535)] | None = None
    otherwise: Annotated[str, _whole(_PAC_WAY + r"(; ?" + _PAC_WAY + r"){0,7}")] | None = None
    pac_file: FilePath | None = None


class Mtls(_Section, frozen=True):
    """The local mTLS helper: which servers programs may reach with the card.

    `targets`          the servers; names, local ports and browsers' servers occur once.
    `browser`          the local proxy by which browsers reach the targets with mode `browser`.
    `issuers`          PEM files with the issuing CAs' certificates, which are sent along with the card's.
    `session_seconds`  for how long one code lasts for one program and server; 0 asks for every connection.
    `ask_seconds`      how long the question for the code stays.
    `idle_seconds`     after how long without traffic a connection is closed.
    `connections`      how many connections may be open at a time.
    `close_when_card_leaves`  whether open connections end when the card is taken out.
    """

    targets: Annotated[tuple[MtlsTarget, ...], Meta(max_length=64)] = ()
    browser: MtlsBrowser = MtlsBrowser()
    issuers: Annotated[tuple[FilePath, ...], Meta(max_length=16)] = ()
    session_seconds: Annotated[int, Meta(ge=0, le=28800)] = 3600
    ask_seconds: Annotated[int, Meta(ge=10, le=300)] = 60
    idle_seconds: Annotated[int, Meta(ge=1, le=86400)] = 300
    connections: Annotated[int, Meta(ge=1, le=512)] = 256
    close_when_card_leaves: bool = True

    def __post_init__(self) -> None:
        """Refuse two targets with one name or one port, and two of browsers with one server."""
        ports = [each.listen for each in self.targets if each.listen is not None]
        servers = [(each.host, each.port) for each in self.for_browsers]
        names = [each.name for each in self.targets]
        all_values: list[tuple[str, Sequence[object]]] = [("name", names), ("listen", ports), ("host", servers)]
        for what, values in all_values:
            if len(set(values)) != len(values):
                raise ValueError(f"two targets have the same {what}")

    @property
    def for_browsers(self) -> tuple[MtlsTarget, ...]:
        """The targets that browsers reach by the local proxy."""
        return tuple(each for each in self.targets if each.mode == "browser")


class Settings(_Section, frozen=True):
    """All settings with their defaults.

    `environment`      which services and cards are used; anything but production is always shown.
    `services`         the authentication services that the app trusts.
    `extra_ca`         PEM files with further CAs for TLS, besides the operating system's.
    `virtual_card`     directory of a virtual card that sits in a reader of its own; refused in production.
    `pkcs11`           whether cards that the app does not know by itself are read through vendors' PKCS#11 modules.
    `pkcs11_modules`   absolute paths of the modules to use; without any, those in the vendors' known places are used.
    `card_issuers`     PEM files with roots and issuing CAs of cards, to which a certificate's chain may lead.
    `allow_certificate_deletion`  whether a person may delete certificates where the card and its driver let her.
    `pin_pad`          whether codes are typed on card readers with keys of their own, where there are such.
    `mtls`             the local mTLS helper.
    `allow_environment_choice`  whether a person may choose the environment herself, where the package has several.
    `proxy`            `system` follows the operating system, `none` goes straight, an address is used as it is.
    `language`, `theme` `system` follows the operating system.
    `autostart`        whether the app starts at log-in to the computer; null leaves it as the package set it up.
    `tray_icon`        whether there is an icon in the notification area, where the desktop has one.
    `on_top`           whether a request lies above the other windows.
    `keypad`           whether keys for a touch screen are shown beside the code.
    `keypad_shuffled`  whether these keys stand in another order each time.
    `allow_show_pin`   whether a person may look at the code while typing.
    `allow_paste`      whether a code may be pasted.
    `clear_code_on_focus_loss`  whether a code that is being typed is wiped as soon as another window is used.
    `refuse_easy_codes`  whether a new code that is easy to guess is refused; otherwise a person is warned.
    `done_seconds`     how long the "done" page stays; 0 keeps it.
    `expiry_reminder`  whether the app reminds of certificates that end soon.
    `log_level`        how much the log tells; no level tells secrets.
    """

    environment: EnvironmentName = "production"
    services: Annotated[tuple[TrustedService, ...], Meta(max_length=32)] = ()
    extra_ca: Annotated[tuple[FilePath, ...], Meta(max_length=16)] = ()
    virtual_card: FilePath | None = None
    pkcs11: bool = True
    pkcs11_modules: Annotated[tuple[ModulePath, ...], Meta(max_length=8)] = ()
    card_issuers: Annotated[tuple[FilePath, ...], Meta(max_length=16)] = ()
    allow_certificate_deletion: bool = False
    pin_pad: bool = True
    mtls: Mtls = Mtls()
    allow_environment_choice: bool = True
    proxy: ProxyChoice = "system"
    language: Literal["system", "sv", "en"] = "system"
    theme: Literal["system", "light", "dark"] = "system"
    autostart: bool | None = None
    tray_icon: bool = True
    on_top: bool = True
    keypad: bool = False
    keypad_shuffled: bool = False
    allow_show_pin: bool = True
    allow_paste: bool = True
    clear_code_on_focus_loss: bool = False
    refuse_easy_codes: bool = False
    done_seconds: Annotated[int, Meta(ge=0, le=60)] = 3
    expiry_reminder: bool = True
    log_level: Literal["error", "warning", "info", "debug"] = "info"

    def service(self, service_id: str) -> TrustedService | None:
        """Return the trusted service with that id in the chosen environment, or None."""
        return next((s for s in self.services if s.id == service_id and s.environment == self.environment), None)
