# SPDX-License-Identifier: EUPL-1.2
"""All self-tests in the order in which they are shown: from the card outwards."""

from __future__ import annotations

from sithsapp.support.checks.cards import CardCheck, DriverCheck, ReaderCheck, ServiceCheck
from sithsapp.support.checks.check import Check
from sithsapp.support.checks.desktop import BrowsersCheck, OtherSoftwareCheck, PropagationCheck, SchemeCheck
from sithsapp.support.checks.local import DiskCheck, LogFolderCheck, SettingsCheck
from sithsapp.support.checks.network import ClockCheck, InspectionCheck, NetworkCheck, ProxyCheck
from sithsapp.support.checks.probe import Probes


def all_checks() -> tuple[Check, ...]:
    """Return the self-tests for one run; those of the network share what they ask."""
    probes = Probes()
    return (
        ServiceCheck(),
        ReaderCheck(),
        DriverCheck(),
        CardCheck(),
        OtherSoftwareCheck(),
        NetworkCheck(probes),
        ProxyCheck(probes),
        InspectionCheck(probes),
        ClockCheck(probes),
        SchemeCheck(),
        BrowsersCheck(),
        PropagationCheck(),
        SettingsCheck(),
        LogFolderCheck(),
        DiskCheck(),
    )
