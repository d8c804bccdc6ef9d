"""The TUF side of the figure `trust`: python-tuf's own client on a fleet, and our child on a province's root."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Final

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Delegations, MetaFile, Targets
from tuf.ngclient import Updater, UpdaterConfig

from protocol.units import UnitPath
from simulators.tuf_repository import MemoryFetcher, TufRepository

_LIMIT_BYTES: Final = 64 * 1024 * 1024
_CHILD_ROUNDS: Final = 3
_SOFTWARE_BYTES: Final = 1_000_000
_PEAK: Final = """
import sys
from edge.updates.__main__ import main
code = main(sys.argv[1:])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
sys.exit(code)
"""
"""Runs the same command and says its own peak: what the system says of a child counts its parent's memory too."""


class TufFleet:
    """One role for each commune, as TUF needs for keys of their own; one of them has published its schedule."""

    def __init__(self, scopes: Iterable[UnitPath], commune: UnitPath, schedule: bytes) -> None:
        self._repository = made = TufRepository(begin=datetime.now(UTC))
        self.fetched_bytes, self._path = 0, f"{commune}/schedule.json"
        delegations = made.targets.delegations = Delegations({}, roles={})
        assert delegations.roles is not None
        for scope in scopes:
            signer, name = CryptoSigner.generate_ed25519(), scope.replace("/", "-")
            delegations.keys[signer.public_key.keyid] = signer.public_key
            delegations.roles[name] = DelegatedRole(name, [signer.public_key.keyid], 1, True, [f"{scope}/*"])
            made.snapshot.meta[f"{name}.json"] = MetaFile(2)
            if scope == commune:
                made.signers[name], made.signed[name] = [signer], Targets(expires=made.expires)
                made.add(self._path, schedule, role=name)
        made.renew("targets", commune.replace("/", "-"))

    def fetch_cold(self) -> None:
        """What a device does that has only the root."""
        with tempfile.TemporaryDirectory() as folder:
            fetcher = MemoryFetcher(self._repository)
            updater = Updater(
                folder,
                "memory://metadata",
                folder,
                "memory://targets",
                fetcher,
                UpdaterConfig(snapshot_max_length=_LIMIT_BYTES, targets_max_length=_LIMIT_BYTES),
                bootstrap=self._repository.files["metadata/1.root.json"],
            )
            found = updater.get_targetinfo(self._path)
            assert found is not None, "the commune has published"
            updater.download_target(found)
        files = self._repository.files
        self.fetched_bytes = sum(len(files[path]) for path in fetcher.asked if path in files)


def child_figures() -> dict[str, float]:
    """Peak memory and life of `python -m edge.updates sync` that starts from the enrolled root alone."""
    made = TufRepository(begin=datetime.now(UTC))
    made.add("anchor.json", b"a" * 600)
    made.add("root-word.json", b"w" * 200)
    made.add("software/agent/new.whl", bytes(_SOFTWARE_BYTES), custom={"version": "9.0", "platform": "any"})
    made.renew("targets")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for path, data in made.files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(data)
        with _served(place) as url:
            lives = [_child(place, url, f"{number}", "-m", "edge.updates")[0] for number in range(_CHILD_ROUNDS)]
            peak_kb = int(_child(place, url, "peak", "-c", _PEAK)[1][-1])
    return {"child_rss_mb": round(peak_kb / 1024, 1), "child_s": round(median(lives), 3)}


def _child(place: Path, url: str, name: str, *how: str) -> tuple[float, list[str]]:
    own = place / "device" / name
    words = ["sync", "--url", url, "--metadata-dir", str(own / "m"), "--target-dir", str(own / "t")]
    words += ["--root", str(place / "metadata" / "1.root.json"), "--have-version", "0.1.0"]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *how, *words], capture_output=True, text=True, check=True)  # noqa: S603
    spent_s, lines = time.perf_counter() - began, done.stdout.splitlines()
    assert json.loads(lines[0])["taken"], "all three came"
    return spent_s, lines


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Figures only."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
