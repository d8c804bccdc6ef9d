"""The RP2040's parts as MicroPython's `machine` shows them, in virtual time; runs inside the interpreter.

Time passes while the firmware sleeps, and a little with every call. Where the horizon that the host has given is
reached, the host is told of bytes and edges and gives the next one. The watchdog bites at its instant, also while the
processor is held. As on the chip, `machine.reset()` is a watchdog reset too.
"""

import json

import bridge  # type: ignore[import-not-found]

PWRON_RESET = 1
WDT_RESET = 3
_CALL_US = 20
_NEVER_US = 1 << 62


class _Processor:
    """The one processor, its time and what leaves it."""

    def __init__(self) -> None:
        self.now_us = 0
        self.until_us = 0
        self.bites_us = _NEVER_US
        self.edges: list = []  # type: ignore[type-arg]
        self.sent = bytearray()
        self.received = bytearray()
        self.room = 64
        self.inputs: dict = {}  # type: ignore[type-arg]
        self.cause = PWRON_RESET
        self.seed = 1
        self.stretch_us = 0

    def begin(self, line: str) -> None:
        """Takes the first horizon."""
        told = json.loads(line)
        self.now_us = told["now_us"]
        self.cause = told["cause"]
        self._take(told)

    def pass_us(self, duration_us: int) -> None:
        """Lets time pass."""
        target_us = self.now_us + duration_us
        while True:
            if self.bites_us <= min(target_us, self.until_us):
                self.now_us = self.bites_us
                self.end("watchdog")
            if target_us <= self.until_us:
                self.now_us = target_us
                return
            self.now_us = self.until_us
            if self._take(json.loads(self.tell({"turn": 1}))):
                target_us = _NEVER_US

    def tell(self, what: dict) -> str:  # type: ignore[type-arg]
        """Says something to the host, with all that has gone out since, and gives its answer."""
        what["at_us"] = self.now_us
        if self.edges:
            what["edges"] = self.edges
        if self.sent:
            what["sent"] = bytes(self.sent).hex()
        self.edges = []
        self.sent = bytearray()
        return bridge.exchange(json.dumps(what))  # type: ignore[no-any-return]

    def end(self, why: str) -> None:
        """The processor stops; the host decides what comes after."""
        bridge.end(json.dumps({"end": why, "at_us": self.now_us, "edges": self.edges, "sent": self.sent.hex()}))

    def edge(self, pin: int, level: int) -> None:
        """A pin is driven."""
        self.edges.append([self.now_us, pin, level])

    def _take(self, told: dict) -> bool:  # type: ignore[type-arg]
        """Takes the host's answer; gives whether the processor is to stand still."""
        if told.get("cut"):
            self.end("cut")
        self.until_us = told["until_us"]
        self.stretch_us = told.get("stretch_us", 0)
        for pin, level in told.get("inputs", []):
            self.inputs[pin] = level
        self.received.extend(bytes.fromhex(told.get("bytes", "")))
        if len(self.received) > self.room:
            self.received = self.received[: self.room]
        if told.get("seed"):
            self.seed = told["seed"]
        return bool(told.get("hold"))


processor = _Processor()


def urandom(count: int) -> bytes:
    """What takes the place of `os.urandom`: the same after every start, so nobody may rely on it alone."""
    out = bytearray()
    for _ in range(count):
        processor.seed = processor.seed * 1103515245 + 12345 & 0x7FFFFFFF
        out.append(processor.seed >> 16 & 0xFF)
    return bytes(out)


def reset_cause() -> int:
    """Why it started."""
    return processor.cause


def reset() -> None:
    """Starts anew."""
    processor.end("reset")


class Pin:
    """A pin; driven levels go to the host with their instant."""

    IN = 0
    OUT = 1
    PULL_UP = 1

    def __init__(self, number: int, mode: int = -1, pull: int = -1, *, value: "int | None" = None) -> None:
        self._number = number
        self._pull = pull
        self._level = -1
        if mode == Pin.OUT:
            assert value is not None, "level and direction belong together"
            self.value(value)

    def value(self, level: "int | None" = None) -> "int | None":
        """Reads, or drives."""
        if level is None:
            return int(processor.inputs.get(self._number, 1 if self._pull == Pin.PULL_UP else 0))
        level = 1 if level else 0
        if level != self._level:
            self._level = level
            processor.edge(self._number, level)
        return None

    def __call__(self, level: "int | None" = None) -> "int | None":
        return self.value(level)

    def number(self) -> int:
        """Which one."""
        return self._number


class UART:
    """The serial line to the computer. What does not fit into the buffer is lost, the newest first."""

    def __init__(self, port: int, baud: int, *, tx: Pin, rx: Pin, rxbuf: int, txbuf: int) -> None:
        processor.room = rxbuf

    def any(self) -> int:
        """How many bytes wait."""
        processor.pass_us(_CALL_US)
        return len(processor.received)

    def read(self, count: int) -> bytes:
        """Takes them."""
        taken = bytes(processor.received[:count])
        processor.received = processor.received[count:]
        return taken

    def write(self, data: bytes) -> int:
        """Sends."""
        processor.sent.extend(data)
        return len(data)


class I2C:
    """The bus; the chips on it live at the host's."""

    def __init__(self, port: int, *, sda: Pin, scl: Pin, freq: int, timeout: int) -> None:
        self._byte_us = 9_000_000 // freq
        processor.edge(sda.number(), 1)

    def readfrom(self, address: int, count: int) -> bytes:
        """One read message."""
        return bytes.fromhex(self._message({"i2c": address, "count": count}, count))

    def writeto(self, address: int, data: bytes) -> int:
        """One write message."""
        self._message({"i2c": address, "data": bytes(data).hex()}, len(data))
        return len(data)

    def _message(self, message: dict, count: int) -> str:  # type: ignore[type-arg]
        processor.pass_us((count + 1) * self._byte_us)
        told = json.loads(processor.tell(message))
        if "error" in told:
            raise OSError(told["error"])
        return str(told["data"])


class WDT:
    """The watchdog."""

    def __init__(self, *, timeout: int) -> None:
        assert 0 < timeout <= 8388, "the RP2040's watchdog counts to 8,388 ms"
        self._timeout_us = timeout * 1000
        self.feed()

    def feed(self) -> None:
        """Not now."""
        processor.bites_us = processor.now_us + self._timeout_us
