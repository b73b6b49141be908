# SPDX-License-Identifier: EUPL-1.2
"""What Active Directory demands of a certificate, in words. Texts are message ids for `sithsapp.locale.tr`."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


def _(text: str) -> str:
    """Mark a text for the catalogue."""
    return text


class Verdict(Enum):
    """How a demand is met, the worst first. Values are the words of `--json`."""

    NOT_MET = "not-met"  # no log-on with this certificate
    SETUP = "set-up"  # the domain's administrator has to do something
    ADVICE = "advice"  # may fail with some settings
    NOT_CHECKED = "not-checked"  # only the domain knows
    MET = "met"


class _Words(NamedTuple):
    key: str
    title: str
    remedy: str


class AdCheck(Enum):
    """One demand: what it is called in `--json`, what is demanded, and what to do where it is not met."""

    VALIDITY = _Words(
        "validity",
        _("The certificate is valid now"),
        _("Renew the certificate on My pages, or contact your ID administrator. Check the computer's clock."),
    )
    KEY_ON_CARD = _Words(
        "key-on-card",
        _("The key is on the card"),
        _("Use a card that holds the key of this certificate."),
    )
    KEY_USAGE = _Words(
        "key-usage",
        _("The key may be used for identification"),
        _("Use the identification certificate: a signing certificate cannot log on."),
    )
    LOGON_PURPOSE = _Words(
        "logon-purpose",
        _("The certificate is for smart card logon"),
        _(
            "Windows offers no certificate whose purposes leave out smart card logon. "
            "Contact your ID administrator for a new one."
        ),
    )
    NO_PURPOSES = _Words(
        "no-purposes",
        _("The certificate names its purposes"),
        _("Switch on the policy Allow certificates with no extended key usage certificate attribute."),
    )
    CLIENT_PURPOSE = _Words(
        "client-purpose",
        _("The certificate is for client authentication"),
        _("Logging on works without it, but many servers demand it after the log-on."),
    )
    USER_NAME = _Words(
        "user-name",
        _("The certificate holds a user name for Windows (UPN)"),
        _(
            "Order a new certificate once HSA has the user name, or switch on the policy Allow user name hint "
            "and map the certificate to the account."
        ),
    )
    USER_NAME_FORM = _Words(
        "user-name-form",
        _("The user name has the form name@suffix"),
        _("Windows cannot read the user name. Map the certificate to the account and use the user name hint."),
    )
    STRONG_MAPPING = _Words(
        "strong-mapping",
        _("The certificate is tied to one account (SID)"),
        _(
            "Domain controllers demand a strong mapping. Write one of the values below into the account's "
            "altSecurityIdentities, or add the rule to the policy."
        ),
    )
    REVOCATION_LIST = _Words(
        "revocation-list",
        _("The certificate says where its revocation list is"),
        _("Domain controllers look for a revocation list. Without an address they must be told of one by local IT."),
    )
    ISSUER_IN_NTAUTH = _Words(
        "issuer-in-ntauth",
        _("The issuer is in the domain's NTAuth store"),
        _("Cannot be seen from here. Local IT can check it with certutil -enterprise -viewstore NTAuth."),
    )
    DOMAIN_CONTROLLERS = _Words(
        "domain-controllers",
        _("The domain controllers have certificates for Kerberos"),
        _("Cannot be seen from here. Local IT can check it with certutil -dcinfo verify."),
    )

    @property
    def key(self) -> str:
        """The name in `--json`."""
        return self.value.key

    @property
    def title(self) -> str:
        """What is demanded, as a message id."""
        return self.value.title

    @property
    def remedy(self) -> str:
        """What to do where it is not met, or why it was not checked, as a message id."""
        return self.value.remedy


class MappingKind(Enum):
    """How a directory can know a certificate."""

    ISSUER_AND_SERIAL = _Words(
        "issuer-and-serial",
        _("altSecurityIdentities by issuer and serial number"),
        _("Strong. Must be written anew when the certificate is renewed."),
    )
    SUBJECT_KEY = _Words(
        "subject-key",
        _("altSecurityIdentities by the key's identifier"),
        _("Strong. Must be written anew when the card is replaced."),
    )
    NAME_RULE = _Words(
        "name-rule",
        _("Rule for Allow name-based strong mappings for certificates"),
        _("For all cards of the issuer, on Windows Server 2019 and later. Lasts when certificates are renewed."),
    )

    @property
    def key(self) -> str:
        """The name in `--json`."""
        return self.value.key

    @property
    def title(self) -> str:
        """What the value is, as a message id."""
        return self.value.title

    @property
    def note(self) -> str:
        """How long it lasts, as a message id."""
        return self.value.remedy
