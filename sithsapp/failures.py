# SPDX-License-Identifier: EUPL-1.2
"""The one closed catalogue of failures that a person can meet.

Every failure has a number whose letter names the area (R reader, C card, P code, N network, S service and
order, A app), what happened, what to do, and whether the same action may simply be tried again. The texts
here are English message ids; `sithsapp.locale` holds the Swedish ones. The table in
docs/administrator/failures.md is generated from this catalogue.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

_EXIT_CODE_BASE = {"R": 10, "C": 30, "P": 60, "N": 80, "S": 90, "A": 120}


def _(text: str) -> str:
    """Mark a text for the message catalogue; it is translated where it is shown."""
    return text


class _Entry(NamedTuple):
    number: str
    title: str
    cause: str
    remedy: str
    retriable: bool = False


class Failure(Enum):
    """A numbered failure. Values are the catalogue entries; use the properties."""

    NO_READER_SERVICE = _Entry(
        "R101",
        _("The smart card service is not running"),
        _("The operating system's smart card service is missing or has stopped."),
        _("Restart the computer. Contact local IT if that does not help."),
        retriable=True,
    )
    NO_READER = _Entry(
        "R102",
        _("No card reader"),
        _("The app finds no card reader."),
        _("Connect the reader and check the cable."),
        retriable=True,
    )
    CARD_IN_USE = _Entry(
        "R103",
        _("Another program is using the card"),
        _("Another program holds the card and does not let go of it."),
        _("Close other programs that use the card, such as Net iD, and try again."),
        retriable=True,
    )
    READER_ACCESS_DENIED = _Entry(
        "R104",
        _("The app may not use the card reader"),
        _("The operating system refuses this session access to the card reader."),
        _("Contact local IT. On Linux a polkit rule decides who may use card readers."),
    )
    NO_CARD = _Entry(
        "R105",
        _("No card in the reader"),
        _("The reader is connected but there is no card in it."),
        _("Put the card in the reader, chip up and first."),
        retriable=True,
    )
    PIN_PAD_NEEDED = _Entry(
        "R106",
        _("A card reader with keys is needed"),
        _("The service wants the code to be entered on a card reader with keys of its own."),
        _("Connect such a reader and put the card in it."),
    )
    CARD_NOT_SUPPORTED = _Entry(
        "C201",
        _("This card is not supported"),
        _("The app does not recognise the card."),
        _("Check that it is your SITHS card and that it is the right way round."),
    )
    CARD_MUTE = _Entry(
        "C202",
        _("The card does not answer"),
        _("The reader cannot make contact with the chip."),
        _("Take the card out, wipe the chip and insert it again."),
        retriable=True,
    )
    CARD_REMOVED = _Entry(
        "C203",
        _("The card was removed"),
        _("The card left the reader before the work was done. Nothing was sent."),
        _("Insert the card again and leave it in the reader."),
        retriable=True,
    )
    CARD_ERROR = _Entry(
        "C204",
        _("The card answered with an error"),
        _("The card gave an answer that the app does not expect."),
        _("Take the card out, insert it again and retry."),
        retriable=True,
    )
    NO_SUITABLE_CERTIFICATE = _Entry(
        "C205",
        _("This card cannot be used here"),
        _("The card has no certificate of the kind that the service asks for."),
        _("Use another card, or contact your ID administrator."),
    )
    CERTIFICATE_EXPIRED = _Entry(
        "C206",
        _("The certificates have expired"),
        _("The certificate's validity has ended, or has not begun."),
        _("Contact your ID administrator."),
    )
    CERTIFICATE_REVOKED = _Entry(
        "C207",
        _("The certificate is revoked"),
        _("The issuer has revoked the certificate."),
        _("Contact your ID administrator."),
    )
    WRONG_PERSON = _Entry(
        "C208",
        _("Wrong card"),
        _("The request is for another person than the card holder."),
        _("Insert the card of the person whom the service asks for."),
        retriable=True,
    )
    CARD_CHANGED = _Entry(
        "C209",
        _("Another card was inserted"),
        _("The card in the reader is not the one that the work began with."),
        _("Start again with the card that you want to use."),
        retriable=True,
    )
    CARD_DATA_INVALID = _Entry(
        "C210",
        _("The card's contents cannot be read"),
        _("A file or certificate on the card is damaged or not in a known form."),
        _("Contact your ID administrator."),
    )
    VIRTUAL_CARD_REFUSED = _Entry(
        "C211",
        _("A virtual card cannot be used in production"),
        _("Virtual cards are for test environments only."),
        _("Choose a test environment, or use a real card."),
    )
    ALGORITHM_NOT_SUPPORTED = _Entry(
        "C212",
        _("The card cannot make this kind of signature"),
        _("The card's key does not support a signature algorithm that the service accepts."),
        _("Contact your ID administrator."),
    )
    CHOICE_NEEDED = _Entry(
        "C213",
        _("More than one card or certificate fits"),
        _("There are several cards or certificates, and none of them was named."),
        _("Name the reader with --reader or choose one by siths card use, or name the certificate with --id."),
    )
    CERTIFICATE_NOT_FOUND = _Entry(
        "C214",
        _("The card has no such certificate"),
        _("No certificate on the card has the name that was given."),
        _("Run siths certs to see the certificates and their names."),
    )
    CERTIFICATE_NOT_DELETABLE = _Entry(
        "C215",
        _("The certificate cannot be deleted here"),
        _("The card, its driver or your organisation does not let the app delete certificates."),
        _("Contact your ID administrator if the certificate must go."),
    )
    ISSUER_NOT_FOUND = _Entry(
        "C220",
        _("The certificate's issuer was not found"),
        _("Neither the card, this computer nor the issuer's address has the certificates of all issuers."),
        _("Check the network and try again. Contact local IT if the problem remains."),
        retriable=True,
    )
    REVOCATION_NOT_CHECKED = _Entry(
        "C221",
        _("Whether the certificate is revoked could not be checked"),
        _("The issuer's revocation service does not answer, or not in a way that can be relied on."),
        _("Check the network and try again. Contact local IT if the problem remains."),
        retriable=True,
    )
    CERTIFICATE_NOT_KNOWN = _Entry(
        "C222",
        _("The issuer does not know the certificate"),
        _("The issuer's revocation service says that it has not issued the certificate."),
        _("Check that the card belongs to this environment. Contact your ID administrator."),
    )
    NOT_READY_FOR_AD = _Entry(
        "C223",
        _("The card is not ready for logging on to Windows"),
        _("The certificate lacks something that Active Directory demands."),
        _("Read the reasons in siths certs ad, or on the page Certificates."),
    )
    CHAIN_NOT_TRUSTED = _Entry(
        "C224",
        _("This computer does not trust the certificate's issuer"),
        _("The chain leads to no root that the operating system or the settings name, or breaks a rule on the way."),
        _("Contact local IT. The root belongs in the operating system's store or under card_issuers."),
    )
    VIEWER_NOT_OPENED = _Entry(
        "C225",
        _("The certificate could not be opened"),
        _("The operating system has no program that shows certificates, or it did not start."),
        _("Save the certificate to a file and open that."),
    )
    PIN_WRONG = _Entry(
        "P301",
        _("Wrong code"),
        _("The code that was entered is not the card's code."),
        _("Check which code is asked for and try again."),
        retriable=True,
    )
    PIN_LOCKED = _Entry(
        "P302",
        _("The code is locked"),
        _("The code was entered wrong too many times."),
        _("Unlock it with your PUK code and start again."),
    )
    PUK_WRONG = _Entry(
        "P303",
        _("Wrong PUK code"),
        _("The PUK code that was entered is not the card's."),
        _("Check the PUK letter. When no attempts are left the card must be replaced."),
        retriable=True,
    )
    NEW_PIN_REFUSED = _Entry(
        "P304",
        _("The new code was not accepted"),
        _("The new code breaks a rule of the card."),
        _("Choose another code."),
        retriable=True,
    )
    LAST_TRY_NOT_CONFIRMED = _Entry(
        "P305",
        _("Only one attempt is left"),
        _("One more wrong code locks the code, so the app did not send it unasked."),
        _("Confirm that you want to use the last attempt."),
        retriable=True,
    )
    PIN_FORMAT = _Entry(
        "P306",
        _("The code has the wrong form"),
        _("The code is too short, too long or has other signs than digits. No attempt was counted."),
        _("Enter the code again."),
        retriable=True,
    )
    PUK_LOCKED = _Entry(
        "P307",
        _("The PUK code is locked"),
        _("The PUK code was entered wrong too many times. The card cannot be unlocked in the app."),
        _("Contact your ID administrator."),
    )
    PIN_NOT_GIVEN = _Entry(
        "P308",
        _("No code was given"),
        _("A code is needed but there is neither a terminal nor a file descriptor to read it from."),
        _("Run the command in a terminal, or give --pin-fd."),
        retriable=True,
    )
    UNBLOCK_NOT_POSSIBLE = _Entry(
        "P309",
        _("This code cannot be unlocked in the app"),
        _("The card does not let this code be unlocked with a PUK code."),
        _("Contact your ID administrator."),
    )
    PIN_MUST_BE_CHANGED = _Entry(
        "P310",
        _("The code must be changed before use"),
        _("The card still has the code that it was delivered with."),
        _("Change the code and start again."),
    )
    NEW_PIN_SAME = _Entry(
        "P311",
        _("The new code is not new"),
        _("It has the same digits as the old code or the PUK code. Nothing was sent to the card."),
        _("Choose another code."),
        retriable=True,
    )
    NEW_PINS_DIFFER = _Entry(
        "P312",
        _("The two entries of the new code differ"),
        _("The new code was not entered the same way twice. Nothing was sent to the card."),
        _("Enter the new code again."),
        retriable=True,
    )
    NEW_PIN_TRIVIAL = _Entry(
        "P313",
        _("The new code is easy to guess"),
        _("The new code is one digit repeated, or a run such as 123456. Nothing was sent to the card."),
        _("Choose another code, or allow this one with --allow-trivial."),
        retriable=True,
    )
    PIN_PAD_TIMEOUT = _Entry(
        "P314",
        _("No code was entered on the card reader"),
        _("The reader waited half a minute for the code. No attempt was counted."),
        _("Try again and enter the code on the reader at once."),
        retriable=True,
    )
    PIN_PAD_CANCELLED = _Entry(
        "P315",
        _("The entry on the card reader was cancelled"),
        _("The cancel key on the reader was pressed. No attempt was counted."),
        _("Try again when you want to."),
        retriable=True,
    )
    PIN_PAD_REFUSED = _Entry(
        "P316",
        _("The card reader's keys cannot be used"),
        _("The reader has keys but does not take this code on them. No attempt was counted."),
        _("Try again. The app then asks for the code itself where that is allowed."),
        retriable=True,
    )
    CLOCK_WRONG = _Entry(
        "N401",
        _("The computer's clock is wrong"),
        _("The service's security certificate is not valid at the time that the computer shows."),
        _("Set the clock and try again."),
        retriable=True,
    )
    TLS_FAILED = _Entry(
        "N402",
        _("The connection is not secure"),
        _("Something on the network reads the encrypted traffic, such as a proxy, or the server is the wrong one."),
        _("Contact local IT."),
    )
    SERVICE_UNREACHABLE = _Entry(
        "N403",
        _("Cannot reach the authentication service"),
        _("The network or the service does not answer."),
        _("Check the network and try again. Contact local IT if the problem remains."),
        retriable=True,
    )
    PROXY_FAILED = _Entry(
        "N404",
        _("The proxy refused the connection"),
        _("The network's proxy did not let the app through, or wants a log-in that the app cannot give."),
        _("Contact local IT."),
        retriable=True,
    )
    TARGET_UNREACHABLE = _Entry(
        "N405",
        _("Cannot reach the server"),
        _("The network or the server that the program wants to reach does not answer."),
        _("Check the network and try again. Contact local IT if the problem remains."),
        retriable=True,
    )
    SERVICE_ERROR = _Entry(
        "S501",
        _("The authentication service answered with an error"),
        _("The service could not handle the request."),
        _("Wait a while and try again."),
        retriable=True,
    )
    ORDER_EXPIRED = _Entry(
        "S502",
        _("The request has expired"),
        _("It took too long."),
        _("Go back to the service and start again."),
    )
    ORDER_CANCELLED = _Entry(
        "S503",
        _("The request was cancelled"),
        _("The service or its web page cancelled the request. Nothing was sent."),
        _("Go back to the service and start again."),
    )
    CLAIM_REFUSED = _Entry(
        "S504",
        _("The request cannot be opened"),
        _("The link is unknown, too old or already used."),
        _("Go back to the service and start again. If you did not start it yourself, tell your IT support."),
    )
    ORDER_SIGNATURE_INVALID = _Entry(
        "S505",
        _("The request does not come from the service"),
        _("The request is not signed by the service's key, so it may have been altered on the way."),
        _("Do not go on. Contact local IT."),
    )
    ORDER_REFUSED = _Entry(
        "S506",
        _("The request has contents that the app refuses"),
        _("The request breaks a rule, for example with hidden signs in a text."),
        _("Do not go on. Contact the service that sent you here."),
    )
    RETURN_ADDRESS_REFUSED = _Entry(
        "S507",
        _("The way back to the service is not the agreed one"),
        _("The service answered with another return address than the request that you approved."),
        _("Do not go on. Contact local IT."),
    )
    SIGNATURE_REFUSED = _Entry(
        "S508",
        _("The service did not accept the signature"),
        _("The service checked the card's signature and refused it."),
        _("Start again. Contact local IT if the problem remains."),
    )
    CERTIFICATE_NOT_ACCEPTED = _Entry(
        "S509",
        _("The service does not accept the card's certificate"),
        _("The certificate's issuer, level or holder is not what the service requires."),
        _("Use another card, or contact your ID administrator."),
    )
    STATUS_UNAVAILABLE = _Entry(
        "S510",
        _("The card's validity could not be checked just now"),
        _("The issuer's revocation service does not answer, and the service lets nobody in without it."),
        _("Wait a while and start again."),
        retriable=True,
    )
    ORDER_USED_TWICE = _Entry(
        "S511",
        _("Somebody else has opened the same request"),
        _("The link was used twice, so the service has stopped the request."),
        _("Start again. If it happens repeatedly, tell your IT support."),
    )
    CERTIFICATE_INVALID = _Entry(
        "S512",
        _("The card's certificate is no longer valid"),
        _("It is revoked, it has ended, or the service does not know who issued it."),
        _("Use another card, or contact your ID administrator."),
    )
    BAD_LINK = _Entry(
        "A901",
        _("The link cannot be opened"),
        _("The link is wrong."),
        _("Go back to the service and start again."),
    )
    CLIENT_TOO_OLD = _Entry(
        "A902",
        _("The app must be updated"),
        _("The service no longer supports this version."),
        _("Update the app or contact local IT."),
    )
    UNKNOWN_SERVICE = _Entry(
        "A903",
        _("The app does not know this service"),
        _("The link names an authentication service that is not in the app's settings."),
        _("Contact local IT."),
    )
    SETTINGS_INVALID = _Entry(
        "A904",
        _("A settings file cannot be used"),
        _("A settings file has an unknown name or a value that is not allowed."),
        _("Correct the file that the message names, or contact local IT."),
    )
    CANCELLED_BY_USER = _Entry(
        "A905",
        _("You cancelled"),
        _("You cancelled the request. Nothing was sent."),
        _("Start again when you want to."),
    )
    ORDER_ALREADY_OPEN = _Entry(
        "A906",
        _("Another request is open"),
        _("The app works with one request at a time."),
        _("Finish or cancel the open request first."),
        retriable=True,
    )
    REPORTED_BY_USER = _Entry(
        "A907",
        _("You reported the request"),
        _("You said that you did not start the request. The service has been told. Nothing else was sent."),
        _("If it happens again, tell your IT support."),
    )
    SESSION_LOCKED = _Entry(
        "A908",
        _("The session was locked"),
        _("The computer was locked or went to sleep while a request was open, so the app cancelled it."),
        _("Start again."),
    )
    BROWSER_NOT_OPENED = _Entry(
        "A909",
        _("The browser could not be opened"),
        _("You are identified, but the app could not lead you back to the service."),
        _("Go back to the service and start again. Contact local IT if it happens repeatedly."),
    )
    FILE_NOT_WRITTEN = _Entry(
        "A910",
        _("The file was not written"),
        _("There is a file of that name already, or the place cannot be written to."),
        _("Choose another name, or replace the file with --force."),
    )
    MTLS_UNAVAILABLE = _Entry(
        "A912",  # A911 would end with 130, which means interrupted
        _("The app cannot lend the card to other programs on this computer"),
        _("The encryption library that the app runs with does not let a card sign for it."),
        _("Install the app's own package, or contact local IT."),
    )
    PORT_IN_USE = _Entry(
        "A913",
        _("A local port is in use"),
        _("Another program on this computer listens on the port that the settings name."),
        _("Choose another port in the settings, or close the other program."),
        retriable=True,
    )
    SETTING_LOCKED = _Entry(
        "A960",
        _("The setting cannot be changed here"),
        _("Your organisation has decided on this setting."),
        _("Contact local IT if it needs another value."),
    )
    SETTINGS_NOT_SAVED = _Entry(
        "A961",
        _("The setting could not be saved"),
        _("Your settings file cannot be written, for example because the disk is full."),
        _("Try again. Contact local IT if the problem remains."),
        retriable=True,
    )
    AUTOSTART_NOT_CHANGED = _Entry(
        "A962",
        _("Starting at log-in could not be changed"),
        _("The desktop did not let the app change what starts at log-in."),
        _("Try again. Contact local IT if the problem remains."),
        retriable=True,
    )
    PROXY_NOT_RUNNING = _Entry(
        "A930",
        _("The local proxy is not running"),
        _("Nothing of yours on this computer carries browsers to servers with the card."),
        _("Start the app or run siths mtls serve."),
        retriable=True,
    )
    SERVER_NOT_LISTED = _Entry(
        "A931",
        _("The card may not be used with this server"),
        _("The server is not among those that the settings list for browsers."),
        _("Contact local IT if the server should be reached with the card."),
    )
    TRUST_TOOL_MISSING = _Entry(
        "A932",
        _("The browsers' certificates cannot be managed"),
        _("The program that changes the browsers' certificate stores is missing."),
        _("Install certutil: the package libnss3-tools on Debian and Ubuntu, nss-tools on Fedora."),
    )
    TRUST_NOT_CHANGED = _Entry(
        "A933",
        _("A browser's certificate store could not be changed"),
        _("The store is damaged, in use, protected by a main password or cannot be written to."),
        _("Close the browser and try again. Contact local IT if that does not help."),
        retriable=True,
    )
    LOCAL_CERTIFICATE_NOT_STORED = _Entry(
        "A934",
        _("The local proxy's certificate could not be stored"),
        _("The app's own directory cannot be written to, or others can read it."),
        _("Contact local IT."),
    )
    NO_BROWSER = _Entry(
        "A935",
        _("No browser could be started"),
        _("The app finds no browser that it can lead by the local proxy."),
        _("Set the proxy's address in the browser yourself: siths mtls open --print shows it."),
    )
    TRUST_NOT_CONFIRMED = _Entry(
        "A936",
        _("Nothing was changed"),
        _("The change of your browsers' trust was not confirmed."),
        _("Run the command again and answer yes, or give --yes."),
        retriable=True,
    )
    SERVER_NOT_NAMED = _Entry(
        "A937",
        _("There are several servers"),
        _("Several servers are listed for browsers, and none of them was named."),
        _("Name one: siths mtls status shows them."),
    )
    REPORT_NOT_SAVED = _Entry(
        "A950",
        _("The error report was not saved"),
        _("There is a file of that name already, or the place cannot be written to."),
        _("Choose another name or place."),
        retriable=True,
    )
    CHECKS_FOUND_PROBLEMS = _Entry(
        "A951",
        _("The self-test found a problem"),
        _("Something on this computer keeps the app from working as it should."),
        _("Do what the self-test says of each problem."),
        retriable=True,
    )
    SCHEME_NOT_TAKEN = _Entry(
        "A952",
        _("The links still open another program"),
        _("The desktop did not let the app become the one that opens its links."),
        _("Choose the app in the desktop's settings for default programs, or contact local IT."),
        retriable=True,
    )
    LOG_NOT_WRITTEN = _Entry(
        "A953",
        _("The log's settings could not be changed"),
        _("The app cannot write in its log folder."),
        _("Contact local IT."),
        retriable=True,
    )
    UNKNOWN = _Entry(
        "A999",
        _("Something went wrong"),
        _("The app met an error that it does not know."),
        _("Try again. Create an error report if it happens repeatedly."),
        retriable=True,
    )

    @property
    def number(self) -> str:
        """Letter and three digits, e.g. `P301`; stable over versions."""
        return self.value.number

    @property
    def title(self) -> str:
        """What happened, as an English message id."""
        return self.value.title

    @property
    def cause(self) -> str:
        """Why, as an English message id."""
        return self.value.cause

    @property
    def remedy(self) -> str:
        """What to do and who can help, as an English message id."""
        return self.value.remedy

    @property
    def retriable(self) -> bool:
        """Whether the same action may simply be tried again."""
        return self.value.retriable

    @property
    def exit_code(self) -> int:
        """The exit code of `siths`: 1 for `UNKNOWN`, else the area's base plus the number within it (10-199)."""
        if self is Failure.UNKNOWN:
            return 1
        return _EXIT_CODE_BASE[self.number[0]] + int(self.number[2:]) - 1


class SithsError(Exception):
    """The one exception that carries a catalogued failure to a person.

    `detail` is a technical line for the log: it never holds a secret, a personal number or a name.
    `tries_left` is set for P failures where the card told how many attempts remain.
    """

    def __init__(self, failure: Failure, detail: str = "", *, tries_left: int | None = None) -> None:
        super().__init__(f"{failure.number} {failure.name}" + (f": {detail}" if detail else ""))
        self.failure = failure
        self.detail = detail
        self.tries_left = tries_left
