"""`python -m signer --data D --port 8090 --controller http://127.0.0.1:8080 [sign|take|update …]`."""

from __future__ import annotations

import errno
import logging
import sys

from aiohttp import web

from signer.app import make_app
from signer.commands import parser, run
from signer.config import SignerConfig, data_directory, load_settings
from signer.errors import SetupError


def main(words: list[str] | None = None) -> int:
    """Runs until interrupted, or does what the word says."""
    given = parser().parse_args(words)
    data = data_directory(given.data)
    level = logging.WARNING if given.command else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    demo = (data / "demo.json").exists()
    try:
        cards = load_settings(data).cards
        config = SignerConfig(data, given.controller, given.host, given.port, demo=demo, cards=cards)
        return run(given, config) if given.command else _serve(config)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2


def _serve(config: SignerConfig) -> int:
    try:
        web.run_app(make_app(config), host=config.host, port=config.port, print=None, access_log=None)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        print(f"Cổng {config.port} đang bận / port {config.port} is taken: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
