"""The guardian's board: its real firmware under the real interpreter, in lockstep with whoever turns the clock.

`run` lets the board live up to an instant. Until then it is alone with its chips; bytes and edges come out with it.
Power can be cut and given, the processor be held (a hang), and the watchdog bites by itself. Each life is a process
of its own; flash is what one leaves to the next.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulators.guardian_firmware import sources
from simulators.i2c_bus import SimI2cBus
from simulators.micropython.fetch import HERE, node
from simulators.micropython.fetch import is_there as fetched

BOOT_MS: Final = 250.0
"""From power or reset to `main.py`: boot ROM, flash, start of the interpreter."""
BYTES_PER_MS: Final = 11.52
_QUANTUM_MS: Final = 10.0
_HEAP_BYTES: Final = 192 * 1024
"""What MicroPython leaves of the RP2040's 264 KiB."""
_WATCHDOG_RESET: Final = 3
_POWER_RESET: Final = 1
_RELEASED: Final = frozenset({4})
"""Lines that a pull-up holds while nobody drives them: SDA."""


@dataclass(frozen=True, slots=True)
class PinEdge:
    """A driven pin changes."""

    mono_ms: float
    pin: int
    level: bool


class GuardianBoard:
    """One board.

    Args:
        now_ms: where its time begins; it has no power yet.
        files: what its flash holds of programs; the firmware's sources by default.
        after: programs that run when `main.py` has ended, which the firmware's never does.

    Attributes:
        now_ms: its time.
        bus: put chips on it.
        flash: files the firmware has written, by name.
        levels: of the pins.
        listeners: told of every edge.
        ends: how its lives ended: `watchdog`, `reset`, `cut`.
        printed: what the firmware printed.
    """

    def __init__(
        self, now_ms: float = 0.0, *, files: Mapping[str, bytes] | None = None, after: Sequence[str] = ()
    ) -> None:
        self.now_ms = now_ms
        self.bus = SimI2cBus()
        self.flash: dict[str, bytes] = {}
        self.levels: dict[int, bool] = {}
        self.listeners: list[Callable[[PinEdge], object]] = []
        self.ends: list[str] = []
        self.printed: deque[str] = deque(maxlen=200)
        self._files = sources() if files is None else files
        self._after = list(after)
        self._process: subprocess.Popen[bytes] | None = None
        self._boots_ms: float | None = None
        self._cause = _POWER_RESET
        self._coming = bytearray()
        self._credit = 0.0
        self._sent = bytearray()
        self._inputs: dict[int, int] = {}
        self._held = False
        self._stretch_us = 0

    # What is done to it.

    def power(self, on: bool) -> None:
        """Gives or cuts the supply."""
        if not on and self._process is not None:
            self._live({"cut": 1, "until_us": 0})
        self._boots_ms = self.now_ms + BOOT_MS if on else None
        self._cause = _POWER_RESET
        self._held = False

    def hold(self) -> None:
        """From the next turn on the processor stands still, until the watchdog bites."""
        self._held = True

    def set_input(self, pin: int, level: bool) -> None:
        """Somebody else drives a pin."""
        self._inputs[pin] = int(level)

    def feed(self, data: bytes) -> None:
        """Bytes on their way from the computer; they come at the line's pace."""
        self._coming += data

    def sent(self) -> bytes:
        """What it has sent since the last look."""
        data = bytes(self._sent)
        self._sent.clear()
        return data

    def run(self, until_ms: float, *, stretch_ms: float = 0.0) -> None:
        """Lets it live up to an instant.

        Args:
            stretch_ms: how long each of its pauses takes at least: days pass in seconds, and it must not matter.
        """
        self._stretch_us = round(stretch_ms * 1000)
        while self.now_ms < until_ms:
            step_ms = until_ms if not self._coming else min(until_ms, self.now_ms + _QUANTUM_MS)
            if self._boots_ms is not None and self._boots_ms < step_ms:
                self.now_ms = max(self.now_ms, self._boots_ms)
                self._start()
            if self._process is None:
                self._coming.clear()
                self.now_ms = step_ms
            else:
                self._live(self._horizon(step_ms))
                # The board counts whole microseconds, and may have died on the way.
                self.now_ms = step_ms if self._process is not None else self.now_ms

    def close(self) -> None:
        """Ends its process."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    # Its life.

    def _start(self) -> None:
        self._boots_ms = None
        command = [str(node()), "--no-warnings", str(HERE / "runner.mjs")]
        self._process = subprocess.Popen(  # noqa: S603 - our own files
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._say(
            {
                "files": {"/" + name: base64.b64encode(data).decode() for name, data in self._files.items()},
                "flash": {name: data.hex() for name, data in self.flash.items()},
                "start": {"now_us": round(self.now_ms * 1000), "cause": self._cause, **self._horizon(self.now_ms)},
                "program": self._files["main.py"].decode(),
                "after": self._after,
                "heap_bytes": _HEAP_BYTES,
            }
        )
        self._listen()

    def _horizon(self, until_ms: float) -> dict[str, Any]:
        self._credit = min(self._credit + (until_ms - self.now_ms) * BYTES_PER_MS, 64 * BYTES_PER_MS)
        count = min(len(self._coming), int(self._credit))
        data = bytes(self._coming[:count])
        del self._coming[:count]
        self._credit -= count
        told: dict[str, Any] = {"until_us": round(until_ms * 1000), "inputs": list(self._inputs.items())}
        if self._stretch_us:
            told["stretch_us"] = self._stretch_us
        if data:
            told["bytes"] = data.hex()
        if self._held:
            told["hold"] = 1
        return told

    def _live(self, told: dict[str, Any]) -> None:
        """Gives an answer, and listens until the next one is wanted."""
        self._say(told)
        self._listen()

    def _listen(self) -> None:
        while self._process is not None:
            heard = self._hear()
            self._take(heard)
            if "i2c" in heard:
                self._say(self._on_bus(heard))
            elif "turn" in heard:
                return
            elif "end" in heard:
                self._end(heard)

    def _take(self, heard: dict[str, Any]) -> None:
        for at_us, pin, level in heard.get("edges", ()):
            self.now_ms = at_us / 1000
            self._edge(pin, bool(level))
        self.now_ms = max(self.now_ms, heard["at_us"] / 1000)
        self._sent += bytes.fromhex(heard.get("sent", ""))

    def _edge(self, pin: int, level: bool) -> None:
        if self.levels.get(pin, pin in _RELEASED) == level:
            return
        self.levels[pin] = level
        for listener in self.listeners:
            listener(PinEdge(self.now_ms, pin, level))

    def _on_bus(self, heard: dict[str, Any]) -> dict[str, Any]:
        try:
            if "data" in heard:
                self.bus.write(heard["i2c"], bytes.fromhex(heard["data"]))
                return {"data": ""}
            return {"data": self.bus.read(heard["i2c"], heard["count"]).hex()}
        except OSError as error:
            return {"error": error.errno}

    def _end(self, heard: dict[str, Any]) -> None:
        """Without power or in reset every line is at rest."""
        self.flash = {name: bytes.fromhex(data) for name, data in heard["flash"].items()}
        self.ends.append(heard["end"])
        self._reap()
        self._held = False
        for pin in list(self.levels):
            self._edge(pin, pin in _RELEASED)
        if heard["end"] in ("watchdog", "reset"):
            self._cause = _WATCHDOG_RESET
            self._boots_ms = self.now_ms + BOOT_MS

    def _reap(self) -> None:
        assert self._process is not None
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()
        self._process = None

    def _say(self, told: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        while True:
            line = self._process.stdout.readline()
            if not line.startswith(b"{"):
                if not line:
                    raise RuntimeError("the firmware's process died:\n" + "\n".join(self.printed))
                self.printed.append(line.decode(errors="replace").rstrip())
                continue
            heard: dict[str, Any] = json.loads(line)
            return heard


def is_there() -> bool:
    """Whether the interpreter is installed."""
    return node() is not None and fetched()
