# SPDX-License-Identifier: EUPL-1.2
"""The relying party's library: start a log-in or signature, and get a verified principal or an exception.

`RelyingParty` is the whole surface. There is no way to read a name, an HSA-id or any other claim before every rule of
protocol section B8 has been checked here, in the relying party's own process.
"""
