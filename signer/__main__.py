"""`python -m signer --data D --port 8090 --controller http://127.0.0.1:8080`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from aiohttp import web

from signer.app import make_app
from signer.config import SignerConfig, data_directory, load_settings, origin
from signer.errors import SetupError


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m signer", description="Shows, asks and signs on this machine.")
    parser.add_argument("--data", type=Path, default=Path("data"), help="directory of keys, grants and the log")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--controller", type=origin, default="http://127.0.0.1:8080", help="origin it works for")
    return parser.parse_args()


def main() -> int:
    """Runs until interrupted."""
    given = _arguments()
    data = data_directory(given.data)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    demo = (data / "demo.json").exists()
    try:
        cards = load_settings(data).cards
        config = SignerConfig(data, given.controller, given.host, given.port, demo=demo, cards=cards)
        web.run_app(make_app(config), host=config.host, port=config.port, print=None, access_log=None)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Cổng {config.port} đang bận / port {config.port} is taken: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
