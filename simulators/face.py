"""What a person at the device sees and can touch: the panel's lamps and switches, and the world around the pole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hardware.interfaces import LampStates
from protocol.limits import MESSAGES_MAX
from protocol.report import LEVEL_SILENCE_CDB
from simulators.language import N_


class NetworkWeather(StrEnum):
    """How the way to the controller is."""

    UP = "up"
    CUT = "cut"
    HALF_OPEN = "half_open"


class StationWeather(StrEnum):
    """What is on the air at the frequency of the signed plan."""

    ON = "on"
    OFF = "off"
    FOREIGN = "foreign"


class TalkSource(StrEnum):
    """Whose voice goes into the microphone."""

    BROWSER = "browser"
    RECORDING = "recording"


class StickState(StrEnum):
    """What became of the USB stick."""

    NONE = "none"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Face:
    """The panel at one moment. What the agent believes (`rung`, `clock`, `faults`) is as it last told.

    Attributes:
        linked: the agent has its connection to the broker.
        sounding: what sounds, as the agent names it.
        key_turned: the emergency key switch is on.
        lamps: the three lamps of the device.
        hung: the computer hangs; a guardian goes on.
        guardian: what the guardian lets through, `computer`, `fm` or `silence`; empty for a device without one.
        messages: for each message button what is signed behind it, by its title; None for nothing.
    """

    powered: bool = True
    network: NetworkWeather = NetworkWeather.UP
    linked: bool = False
    rung: int = 9
    sounding: str | None = None
    level_cdb: int = LEVEL_SILENCE_CDB
    amplifier: bool = False
    talking: bool = False
    key_turned: bool = False
    station: StationWeather = StationWeather.ON
    stick: StickState = StickState.NONE
    clock: str = "none"
    media_held: int = 0
    media_wanted: int = 0
    faults: tuple[str, ...] = ()
    hung: bool = False
    guardian: str = ""
    lamps: LampStates = LampStates()
    messages: tuple[str | None, ...] = (None,) * MESSAGES_MAX


class PanelDevice(Protocol):
    """A simulated device, as the panel page needs it."""

    device: str
    place: str
    name: str
    full_sound: bool

    def face(self) -> Face:
        """How the panel looks now."""
        ...

    async def talk(self, source: TalkSource) -> None:
        """The talk button goes down."""
        ...

    async def release(self) -> None:
        """The talk button goes up."""
        ...

    def hear_voice(self, frame: bytes) -> None:
        """20 ms of a person's voice at the microphone."""
        ...

    def turn_key(self, on: bool) -> None:
        """The emergency key switch."""
        ...

    async def press_stop(self) -> None:
        """The stop button."""
        ...

    async def press_message(self, number: int) -> None:
        """The button of a stored message, 1 to 3."""
        ...

    async def set_network(self, weather: NetworkWeather) -> None:
        """Storm over the line, or the line mended."""
        ...

    async def set_power(self, on: bool) -> None:
        """Mains away, without any warning, or back."""
        ...

    async def set_hung(self, hung: bool) -> None:
        """The computer hangs, or is restarted; the guardian, if there is one, has a supply of its own."""
        ...

    def set_station(self, weather: StationWeather) -> None:
        """What the FM tuner finds."""
        ...

    async def plug_stick(self) -> None:
        """A USB stick with the commune's newest signed bundle goes in."""
        ...

    def listen(self) -> AbstractContextManager[AsyncIterator[bytes]]:
        """The loudspeaker, as frames of 20 ms, while somebody listens."""
        ...


Devices = Mapping[str, PanelDevice]

# Names as on the controller's pages.
RUNGS = {
    1: N_("Emergency microphone"),
    2: N_("Emergency alert"),
    3: N_("Microphone"),
    4: N_("Live, priority"),
    5: N_("Priority programme"),
    6: N_("Ordinary programme"),
    7: N_("Radio relay"),
    8: N_("Radio instead of a missing programme"),
    9: N_("Silent"),
}

GUARDIAN = {
    "computer": N_("The guardian lets the computer through"),
    "fm": N_("The guardian lets FM through by itself, as signed"),
    "silence": N_("The guardian keeps the horn silent"),
}

CLOCKS = {
    "none": N_("Time not certain"),
    "attested": N_("Time confirmed by the centre"),
    "agreed": N_("Time confirmed by two sources"),
}

FAULTS = {
    "media_missing": N_("Programme missing"),
    "media_damaged": N_("Programme damaged"),
    "sound_missing": N_("No sound measured"),
    "sound_unexpected": N_("Sound nobody ordered"),
    "player_failed": N_("Cannot play"),
    "card_lost": N_("Sound card lost"),
    "fm_refused": N_("Radio refused"),
    "talk_stuck": N_("Talk button stuck"),
    "clock_not_trusted": N_("Time not certain"),
    "schedule_expired": N_("Schedule ended"),
    "head_stale": N_("No word from the centre"),
    "storage_full": N_("Memory full"),
    "state_damaged": N_("Stored data damaged"),
    "live_stalled": N_("Live broadcast stalled"),
    "stream_lost": N_("Web radio lost"),
    "message_missing": N_("No such stored message"),
    "line_fault": N_("Speaker line faulty"),
    "power_low": N_("Supply voltage low"),
    "guardian_lost": N_("Guardian does not answer"),
    "tuner_lost": N_("Radio receiver lost"),
    "clock_chip_lost": N_("Clock chip lost"),
    "meter_lost": N_("Level meter lost"),
}
