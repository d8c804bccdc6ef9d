"""Starts the controller: `python -m controller --data data --port 8080`."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from controller.app import make_app
from controller.broker.tls import DeviceTlsError
from controller.config import Config
from controller.devices.door import open_door
from controller.signing.freshness import FreshnessKeyError, open_key
from controller.store.backup import NAME, BackupError, back_up, put_back
from controller.web.i18n import compile_catalogues
from controller.web.security_txt import check_contact

logger = logging.getLogger("controller")
_NO_SETTINGS = ("allow_host", "show_freshness_key", "back_up", "put_back")

_PLAINLY_ABROAD = (
    "Devices would send their tokens over the network in the clear. Set up the device CA and say where it is:\n"
    "  python -m provisioning device-ca init --directory device-ca\n"
    "  python -m provisioning device-ca server-certificate --directory device-ca --out data/device-tls\n"
    "  python -m controller … --device-tls data/device-tls\n"
    "Or listen on this machine only: --host 127.0.0.1, behind a proxy if pages are read elsewhere."
)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
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
    parser.add_argument("--device-tls", type=Path, help="directory of device CA, server certificate and key")
    parser.add_argument("--device-host", help="address on which devices come in; usually that of --host")
    parser.add_argument("--device-port", type=int, default=usual.device_port, help="port for devices, by mutual TLS")
    parser.add_argument("--device-url", help="how devices reach the controller, such as https://loa.example.vn:8443")
    parser.add_argument(
        "--security-contact", type=check_contact, help="mailto:, tel: or https:, told in /.well-known/security.txt"
    )
    parser.add_argument("--demo", action="store_true", help="fill an empty database with the demo province")
    parser.add_argument(
        "--show-freshness-key", action="store_true", help="print the public half, for the anchor file, and end"
    )
    parser.add_argument("--back-up", type=Path, metavar="FILE", help="copy the database, also while it runs, and end")
    parser.add_argument("--put-back", type=Path, metavar="FILE", help="put such a copy back, and end")
    return parser.parse_args(arguments)


def settings(given: argparse.Namespace) -> Config:
    """What the server is started with."""
    named = {name: value for name, value in vars(given).items() if name not in _NO_SETTINGS}
    return Config(hosts=tuple(given.allow_host), **named)


def show_freshness_key(data: Path) -> int:
    """Prints the public half of the key, made now if this is the first time; nothing else goes to stdout."""
    try:
        print(open_key(data).public)
    except FreshnessKeyError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def copy_database(given: argparse.Namespace) -> int:
    """Backs the database up, or puts it back."""
    try:
        if given.back_up:
            back_up(given.data, given.back_up)
            print(f"The database was copied to {given.back_up}.")
        else:
            put_back(given.put_back, given.data)
            print(f"The copy was put back; the former database is {given.data / NAME}.before.")
    except BackupError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def serve(config: Config) -> int:
    """Runs until Ctrl-C or SIGTERM, then stops everything in reverse order."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if config.plainly_abroad:
        print(_PLAINLY_ABROAD, file=sys.stderr)
        return 2
    try:
        runner = web.AppRunner(make_app(config), access_log=None, shutdown_timeout=5)
    except DeviceTlsError as error:
        print(error, file=sys.stderr)
        return 2
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
        await _listen(runner, config, stop)
    except OSError as error:
        print(f"A port cannot be used: {error.strerror}. Choose others: --port, --device-port.", file=sys.stderr)
        return 2
    finally:
        await runner.cleanup()
    return 0


async def _listen(runner: web.AppRunner, config: Config, stop: asyncio.Event) -> None:
    await web.TCPSite(runner, config.host, config.port).start()
    async with open_door(runner, config) as door:
        logger.info("controller is at %s, for devices at %s", config.origin, config.device_origin)
        if door is None:
            logger.warning("devices come with a token and without TLS; that is for this machine only")
        await stop.wait()


def keep_private(data: Path) -> None:
    """What is written from now on, and the data directory, is for this user alone: there are people's names in it."""
    os.umask(0o077)
    data.mkdir(parents=True, exist_ok=True)
    try:
        data.chmod(0o700)
    except PermissionError:
        logger.warning("%s belongs to another user; see to it that nobody else reads it", data)


def main() -> int:
    """Entry point."""
    given = parse(sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for talkative in ("alembic", "amqtt", "transitions"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    compile_catalogues()  # they lie with the program, for everybody who runs it
    keep_private(given.data)
    if given.back_up or given.put_back:
        return copy_database(given)
    return show_freshness_key(given.data) if given.show_freshness_key else asyncio.run(serve(settings(given)))


if __name__ == "__main__":
    sys.exit(main())
