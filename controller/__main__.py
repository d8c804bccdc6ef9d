"""Starts the controller: `python -m controller --data data --port 8080`."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from controller.app import make_app
from controller.config import Config
from controller.web.i18n import compile_catalogues

logger = logging.getLogger("controller")


def parse(arguments: Sequence[str]) -> Config:
    """Settings from the command line."""
    usual = Config(data=Path("data"))
    parser = argparse.ArgumentParser(prog="python -m controller", description=__doc__)
    parser.add_argument("--data", type=Path, default=usual.data, help="directory of database, media and keys")
    parser.add_argument("--host", default=usual.host)
    parser.add_argument("--port", type=int, default=usual.port)
    parser.add_argument("--mqtt-port", type=int, default=usual.mqtt_port, help="port of the embedded broker")
    parser.add_argument("--broker", help="mqtt://host:port of an outside broker")
    parser.add_argument("--public-url", help="how browsers and devices reach the controller")
    parser.add_argument("--signer-url", default=usual.signer_url)
    parser.add_argument("--panel-url", help="origin of the simulated devices' panel")
    parser.add_argument("--allow-host", action="append", default=[], help="a further name accepted in Host")
    parser.add_argument("--demo", action="store_true", help="fill an empty database with the demo province")
    given = vars(parser.parse_args(arguments))
    return Config(hosts=tuple(given.pop("allow_host")), **given)


async def serve(config: Config) -> int:
    """Runs until Ctrl-C or SIGTERM, then stops everything in reverse order."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    runner = web.AppRunner(make_app(config), access_log=None, shutdown_timeout=5)
    try:
        await runner.setup()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(
            f"Port {config.mqtt_port} is taken; the broker needs it. Choose another with --mqtt-port.",
            file=sys.stderr,
        )
        return 2
    try:
        await web.TCPSite(runner, config.host, config.port).start()
        logger.info("controller is at %s", config.origin)
        await stop.wait()
    except OSError as error:
        print(f"Port {config.port} cannot be used: {error.strerror}. Choose another with --port.", file=sys.stderr)
        return 2
    finally:
        await runner.cleanup()
    return 0


def main() -> int:
    """Entry point."""
    config = parse(sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for talkative in ("alembic", "amqtt", "transitions"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    compile_catalogues()
    return asyncio.run(serve(config))


if __name__ == "__main__":
    sys.exit(main())
