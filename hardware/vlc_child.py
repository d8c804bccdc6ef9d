"""The child process of `hardware.vlc_player`: libVLC lives here, and dies here.

It reads one job (JSON) from its standard input, writes samples (48 kHz mono, 16-bit) to its standard output, and
ends. It is started as `python -I -S` on this file, so it loads nothing of the agent: its own modules come from beside
it, python-vlc from the directory that the job names. It ends with

    0   after the last sample
    3   when this is not sound, or nobody answers: the reason is on its standard error, one line
    4   when a stream broke off: as above

and any other way (a crash of libVLC, a limit, a kill) means that it was lost. Of a stream it also writes a beat to
its standard error now and then, so that a silent station is told from a child that hangs.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final, NoReturn

NOT_SOUND: Final = 3
BROKE_OFF: Final = 4
BEAT: Final = b"\0"
BEAT_S: Final = 0.25
_MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024
_REASON_CHARS_MAX: Final = 300
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_JOB_BYTES_MAX: Final = 65_536
_STDIN: Final = 0
_STDOUT: Final = 1
_STDERR: Final = 2


class _Outlet:
    """Writes the samples that count to the standard output; the reader's pace is ours.

    Args:
        cut: how many to drop first, and how many to write then; it may learn the second later.
    """

    def __init__(self, cut: Any) -> None:
        self._cut = cut
        self._skip_bytes = cut.skip_samples * 2
        self.written_bytes = 0

    def take(self, samples: bytes) -> bool:
        """Writes them; False when there were enough."""
        if self._skip_bytes:
            dropped = min(self._skip_bytes, len(samples))
            self._skip_bytes -= dropped
            samples = samples[dropped:]
        wanted = self._cut.samples
        if wanted is not None:
            samples = samples[: max(0, wanted * 2 - self.written_bytes)]
        at = 0
        while at < len(samples):
            at += os.write(_STDOUT, samples[at:])
        self.written_bytes += len(samples)
        return wanted is None or self.written_bytes < wanted * 2


def _confine() -> None:
    """The child ends with its parent, and cannot take all memory."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Voice:
    """The standard error, kept for ourselves: libVLC and its plug-ins, which also write there, get nothing."""

    def __init__(self) -> None:
        self._file = os.dup(_STDERR)
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDERR)

    def beat(self) -> None:
        """Tells for ever that this process runs."""
        while True:
            os.write(self._file, BEAT)
            time.sleep(BEAT_S)

    def end(self, code: int, reason: object) -> NoReturn:
        """Ends the process with a reason."""
        line = " ".join(str(reason).split())[:_REASON_CHARS_MAX]
        os.write(self._file, line.encode(errors="replace") + b"\n")
        os._exit(code)  # libVLC's own threads are not waited for


def _cut(job: dict[str, Any]) -> Any:
    if "file" in job:
        from hardware.vlc_cut import cut_file

        return cut_file(Path(job["file"]), int(job["offset_samples"]))
    from hardware.vlc_web import cut_stream

    return cut_stream(str(job["address"]))


def _work(job: dict[str, Any], voice: _Voice) -> None:
    from hardware.errors import MediaError
    from hardware.vlc_decoder import VlcDecoder

    try:
        cut = _cut(job)
    except MediaError as error:
        voice.end(NOT_SOUND, error)
    outlet = _Outlet(cut)
    decoder = VlcDecoder(cut.pieces, cut.demux, outlet.take)
    decoder.run()
    if decoder.failure is not None:
        voice.end(BROKE_OFF if outlet.written_bytes else NOT_SOUND, decoder.failure)


def _main() -> None:
    voice = _Voice()
    job = json.loads(os.read(_STDIN, _JOB_BYTES_MAX))
    _confine()
    if os.getppid() != job["parent"]:  # it died before the signal was asked for
        os._exit(1)
    sys.path += [str(Path(__file__).resolve().parent.parent), job["vlc"]]
    if "address" in job:
        threading.Thread(target=voice.beat, daemon=True).start()
    try:
        _work(job, voice)
    except BaseException as error:
        voice.end(1, repr(error))
    os._exit(0)


if __name__ == "__main__":
    _main()
