"""The command line: the three calls of a TUF conformance runner, and `sync` for the agent.

    --metadata-dir D init ROOT.json
    --metadata-dir D --metadata-url U refresh
    --metadata-dir D --metadata-url U --target-name T --target-base-url B --target-dir O download
    --metadata-dir D --target-dir O (--url U | --usb DIR) [--root FILE] [--now MS] [--have-version V] sync

Exit code 0, or 1 with one line on stderr that says why.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from pathlib import Path
from typing import Final, NoReturn

from edge.updates import client
from edge.updates.client import Origin, Synced, from_stick, from_web
from edge.updates.http_fetch import TOTAL_S, HttpFetcher, Tls, own_ca
from edge.updates.software import Wish
from protocol.clock import WallMs

MEMORY_BYTES_MAX: Final = 256 * 1024 * 1024
"""Of addresses, not of memory used: the largest repository we allow takes less than half of it."""
FILE_BYTES_MAX: Final = 128 * 1024 * 1024
_COMMANDS: Final = ("init", "refresh", "download", "sync")
_NEEDS: Final = {
    "init": ("root_file",),
    "refresh": ("metadata_url",),
    "download": ("metadata_url", "target_name", "target_base_url", "target_dir"),
    "sync": ("target_dir",),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit code 1 like every other failure."""
        self.exit(1, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m edge.updates", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=_COMMANDS)
    parser.add_argument("root_file", nargs="?", type=Path, help="the root to begin with, for init")
    parser.add_argument("--metadata-dir", type=Path, required=True, help="what is trusted")
    parser.add_argument("--metadata-url", help="where metadata lie")
    parser.add_argument("--target-name")
    parser.add_argument("--target-base-url", help="where targets lie")
    parser.add_argument("--target-dir", type=Path, help="where targets are put")
    parser.add_argument("--url", help="sync: a controller's /root")
    parser.add_argument("--usb", type=Path, help="sync: the folder on a stick")
    parser.add_argument("--root", type=Path, help="sync: the root that enrolment pinned")
    parser.add_argument("--now", type=int, help="sync: milliseconds since 1970; else the system's clock")
    parser.add_argument("--product", default=Wish().product, help="sync: agent, guardian or signer")
    parser.add_argument("--have-version", help="sync: newer software than this is taken; without it, none")
    parser.add_argument("--platform", default=Wish().platform)
    parser.add_argument("--ca-file", type=Path, help="the only authority that https may rely on")
    parser.add_argument("--client-cert", type=Path, help="our certificate, and its key if that is not elsewhere")
    parser.add_argument("--client-key", type=Path)
    parser.add_argument("--server-name", help="the name in the server's certificate, when it is not the address")
    parser.add_argument("--any-date", action="store_true", help="with --ca-file: dates of certificates do not count")
    parser.add_argument("--total-s", type=float, default=TOTAL_S, help="the time for everything")
    return parser


def _asked(words: list[str]) -> argparse.Namespace:
    parser = _parser()
    asked = parser.parse_intermixed_args(words)
    for name in _NEEDS[asked.command]:
        if getattr(asked, name) is None:
            parser.error(f"{asked.command} needs {name.replace('_', '-')}")
    if asked.command == "sync" and (asked.url is None) == (asked.usb is None):
        parser.error("sync needs either --url or --usb")
    if asked.ca_file is None and (asked.any_date or asked.client_cert):
        parser.error("--any-date and --client-cert need --ca-file")
    return asked


def _run(asked: argparse.Namespace) -> None:
    if asked.command == "init":
        client.init(asked.metadata_dir, asked.root_file)
        return
    origin = _origin(asked)
    try:
        if asked.command == "refresh":
            client.refresh(asked.metadata_dir, origin)
        elif asked.command == "download":
            client.download(asked.metadata_dir, origin, target=asked.target_name, into=asked.target_dir)
        else:
            print(_line(_sync(asked, origin)))
    finally:
        origin.fetcher.close()


def _origin(asked: argparse.Namespace) -> Origin:
    if asked.usb is not None:
        return from_stick(asked.usb)
    tls = _tls(asked)
    if asked.url is not None:
        return from_web(asked.url, tls=tls, total_s=asked.total_s)
    fetcher = HttpFetcher(total_s=asked.total_s, tls=tls)
    return Origin(asked.metadata_url, asked.target_base_url, fetcher)


def _tls(asked: argparse.Namespace) -> Tls | None:
    if asked.ca_file is None:
        return None
    return own_ca(
        asked.ca_file,
        client=asked.client_cert,
        key=asked.client_key,
        server_name=asked.server_name,
        any_date=asked.any_date,
    )


def _sync(asked: argparse.Namespace, origin: Origin) -> Synced:
    asked.target_dir.mkdir(parents=True, exist_ok=True)
    # The system's temporary directory is often memory; software must not pass through it.
    tempfile.tempdir = str(asked.target_dir)
    return client.sync(
        asked.metadata_dir,
        origin,
        into=asked.target_dir,
        root=asked.root.read_bytes() if asked.root else None,
        wall=None if asked.now is None else WallMs(asked.now),
        wish=Wish(asked.product, asked.have_version, asked.platform),
    )


def _line(synced: Synced) -> str:
    software = [{"target": one.target, "version": one.version, "bytes": one.length_bytes} for one in synced.software]
    return json.dumps(
        {
            "anchor": str(synced.anchor) if synced.anchor else None,
            "word": str(synced.word) if synced.word else None,
            "software": software,
            "taken": str(synced.taken) if synced.taken else None,
            "expires_ms": synced.expires,
            "changed": synced.changed,
        }
    )


def _bound() -> None:
    """A fault in a parser must end this process and not the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(words: list[str]) -> int:
    """The process's exit code."""
    asked = _asked(words)
    try:
        _run(asked)
    except MemoryError:
        print("this takes more memory than is allowed", file=sys.stderr)
        return 1
    except Exception as error:  # whatever went wrong, the caller learns it in one line
        print(f"{type(error).__name__}: {error}".replace("\n", " ")[:500], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    _bound()
    sys.exit(main(sys.argv[1:]))
