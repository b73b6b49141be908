# SPDX-License-Identifier: EUPL-1.2
"""Run the service from a configuration file, or the demonstration with its relying party.

    python -m authservice --config FILE [--write-trust FILE]
    python -m authservice --demo --anchors PEM --state DIRECTORY [--service-port N] [--rp-port N] [--events FILE]

The demonstration prints one line of JSON with its addresses when it is ready.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from authservice.app import create_app, make_context
from authservice.certificates import AnchoredJudge
from authservice.clock import SteadyClock
from authservice.config import load_config
from authservice.demo import DemoOptions, start_demo
from authservice.registry import RegistrationError
from authservice.server import bind, serve
from authservice.trust_file import write_trust_configuration


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to end; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.demo and (options.anchors is None or options.state is None):
        parser.error("--demo needs --anchors and --state")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        return _demo(options) if options.demo else _service(options)
    except (OSError, ValueError, RegistrationError) as error:
        print(f"authservice: {error}", file=sys.stderr)  # noqa: T201 - a command's own error line
        return 1


def _service(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    clock = SteadyClock()
    judge = AnchoredJudge.from_files(config.anchors, config.intermediates, clock)
    context = make_context(config, judge, clock=clock)
    if options.write_trust is not None:
        write_trust_configuration(options.write_trust, config, context.issuer.jwk)
    serve(create_app(context), bind(config.host, config.port), config.trusted_proxies)
    return 0


def _demo(options: argparse.Namespace) -> int:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    demo_options = DemoOptions(
        anchors=options.anchors,
        state_directory=options.state,
        service_port=options.service_port,
        rp_port=options.rp_port,
        intermediates=options.intermediates,
        events=options.events,
    )
    with start_demo(demo_options) as backend:
        ready = {
            "service": backend.service_origin,
            "relying_party": backend.rp_origin,
            "trust_configuration": str(backend.trust_configuration),
        }
        print(msgspec.json.encode(ready).decode(), flush=True)  # noqa: T201 - the command's result
        ended.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m authservice", description="Authentication service")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--config", type=Path, help="run the service that this JSON file describes")
    kind.add_argument("--demo", action="store_true", help="run the demonstration on loopback ports")
    parser.add_argument("--write-trust", type=Path, help="write the app's trust configuration to this file")
    parser.add_argument("--anchors", type=Path, help="demonstration: PEM file with the roots to trust")
    parser.add_argument("--intermediates", type=Path, help="demonstration: PEM file with issuing CAs")
    parser.add_argument("--state", type=Path, help="demonstration: directory for keys")
    parser.add_argument("--service-port", type=int, default=0)
    parser.add_argument("--rp-port", type=int, default=0)
    parser.add_argument("--events", type=Path, help="demonstration: write what the relying party saw to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
