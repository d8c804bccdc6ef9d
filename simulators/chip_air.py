"""Lets the register-level model of the FM chip hear the same stations as the simulated tuner does."""

from __future__ import annotations

from collections.abc import Callable

from edge.ports import SILENT_FRAME, SoundSource
from simulators.fm_station import NOISE_RSSI_DBUV, SimEther, SimTuner
from simulators.loop_clock import LoopClock
from simulators.rds_encoder import Programme
from simulators.si4703_chip import Si4703Chip


def air_of(
    ether: SimEther, *, text: str = "", wall_offset_ms: int | None = None
) -> Callable[[int], tuple[int, Programme | None]]:
    """What an aerial hears of an ether.

    Args:
        text: radio text of every station.
        wall_offset_ms: what all stations add to the loop's milliseconds for the time they tell; None: they tell none.
    """

    def hear(frequency_khz: int) -> tuple[int, Programme | None]:
        station = ether.strongest(frequency_khz)
        if station is None:
            return NOISE_RSSI_DBUV, None
        if station.pi is None:
            return station.rssi_dbuv, None
        return station.rssi_dbuv, Programme(int(station.pi, 16), station.ps, text, wall_offset_ms)

    return hear


class ChipCapture:
    """The card's input behind the FM chip: `open` gives what the chip lets through, frame by frame."""

    def __init__(self, clock: LoopClock, ether: SimEther, chip: Si4703Chip) -> None:
        self._ears = SimTuner(clock, ether)
        self._chip = chip

    async def open(self) -> SoundSource:
        """As `hardware.alsa_capture.AlsaCapture` does."""
        return _Heard(self._ears, self._chip, await self._ears.open())


class _Heard:
    def __init__(self, ears: SimTuner, chip: Si4703Chip, source: SoundSource) -> None:
        self._ears, self._chip, self._source = ears, chip, source

    async def read(self) -> bytes | None:
        """See `edge.ports.SoundSource`."""
        await self._ears.tune(self._chip.frequency_khz)
        frame = await self._source.read()
        return frame if self._chip.sounds else SILENT_FRAME

    async def close(self) -> None:
        """See `edge.ports.SoundSource`."""
        await self._source.close()
