"""The way of the sound: card, amplifier, horn, and back through microphone and meter where the board has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from hardware.errors import PortError
from hardware.i18n import gettext as _
from hardware.i18n import worded
from hardware.interfaces import FRAME_MS, SILENT_FRAME, Microphone, SoundCard, SoundSource
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result
from hardware.selftest.relay import heard_of
from hardware.selftest.sweep import DELAY_FRAMES_MAX, SWEEP_FRAMES, TONES_HZ, Heard, find, sweep

_LEAD_IN_FRAMES: Final = 40
"""0.8 s: a relay and an amplifier wake up meanwhile."""
_TAIL_FRAMES: Final = 10
_HEARD_AT: Final = 0.35
"""Without a sweep in it the correlation of noise stays below 0.1."""
_PACE_OFF: Final = 0.05
_METER_FLOOR_CDB: Final = -7000
_ABOVE_REST_CDB: Final = 600


async def try_sound(bench: Bench) -> Finding:
    """Plays the sweep and listens to it."""
    card = bench.parts.card
    if card is None:
        return Finding(Result.ABSENT, _("There is no sound card."), _("Plug it in; its name stands in board.json."))
    if refusal := await bench.permission.refusal():
        return Finding(Result.WARN, _("Not tried."), refusal)
    if not await _let_through(bench):
        advice = _("Try the guardian alone: --only guardian. Its relay must let the computer through.")
        return Finding(Result.FAIL, _("The guardian does not let the computer be heard."), advice)
    async with _amplified(bench), _ear(bench.parts.microphone) as ear:
        for _frame in range(_LEAD_IN_FRAMES):
            await card.write(SILENT_FRAME)
        rest_cdb = None if bench.parts.meter is None else bench.parts.meter.level_cdb()
        ear.listen()
        took_ms, metered = await _play(bench, card)
        await asyncio.sleep(DELAY_FRAMES_MAX * FRAME_MS / 1000 if ear.hears else 0)
        heard = await asyncio.to_thread(find, ear.frames) if len(ear.frames) >= SWEEP_FRAMES else None
    levels = {"metered_rest_cdb": rest_cdb, "metered_cdb": metered}
    return _told(bench, took_ms=took_ms, levels=levels, heard=heard, ear=ear)


async def _let_through(bench: Bench) -> bool:
    guardian = bench.parts.guardian
    if guardian is None:
        return True
    state = await heard_of(guardian, source="computer")
    return state is not None and state.source == "computer"


@asynccontextmanager
async def _amplified(bench: Bench) -> AsyncIterator[None]:
    if bench.parts.amplifier is not None:
        await bench.parts.amplifier.switch(True)
    try:
        yield
    finally:
        if bench.parts.amplifier is not None:
            await bench.parts.amplifier.switch(False)


async def _play(bench: Bench, card: SoundCard) -> tuple[float, int | None]:
    """How long the card took for the sweep, and the loudest that the meter saw meanwhile."""
    metered: list[int] = []
    frames = sweep(bench.level_dbfs)
    began = asyncio.get_running_loop().time()
    for number, frame in enumerate(frames):
        await card.write(frame)
        if bench.parts.meter is not None and number % 25 == 24:
            metered += [one for one in [bench.parts.meter.level_cdb()] if one is not None]
    took_ms = (asyncio.get_running_loop().time() - began) * 1000
    for _frame in range(_TAIL_FRAMES):
        await card.write(SILENT_FRAME)
    await card.drain()
    return took_ms, max(metered, default=None)


class _Ear:
    """Collects what the microphone hears from `listen` on."""

    def __init__(self, source: SoundSource | None) -> None:
        self._source, self._listening = source, False
        self.frames: list[bytes] = []
        self.trouble = ""

    @property
    def hears(self) -> bool:
        return self._source is not None and not self.trouble

    def listen(self) -> None:
        self._listening = True

    async def run(self) -> None:
        try:
            while self._source is not None and (frame := await self._source.read()) is not None:
                if self._listening and len(self.frames) < SWEEP_FRAMES + DELAY_FRAMES_MAX:
                    self.frames.append(frame)
        except PortError as error:
            self.trouble = worded(error)


@asynccontextmanager
async def _ear(microphone: Microphone | None) -> AsyncIterator[_Ear]:
    try:
        source = None if microphone is None else await microphone.open()
    except PortError:
        source = None
    ear = _Ear(source)
    listening = asyncio.create_task(ear.run())
    try:
        yield ear
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        if source is not None:
            await source.close()


def _told(bench: Bench, *, took_ms: float, levels: dict[str, int | None], heard: Heard | None, ear: _Ear) -> Finding:
    figures: dict[str, Figure] = {"level_dbfs": bench.level_dbfs, "played_ms": round(took_ms)}
    figures |= {name: level for name, level in levels.items() if level is not None}
    if heard is not None:
        figures |= {
            "correlation": heard.correlation,
            "delay_ms": heard.delay_ms,
            "heard_dbfs": heard.level_dbfs,
            "tones_heard": len(heard.clear_hz()),
        }
    if ear.trouble:
        figures["microphone_trouble"] = ear.trouble
    result, advice = _judged(bench, figures, heard)
    return Finding(result, _found(figures, heard), advice, figures)


def _found(figures: dict[str, Figure], heard: Heard | None) -> str:
    said = [_("played %(ms)d ms at %(level)d dBFS") % {"ms": figures["played_ms"], "level": figures["level_dbfs"]}]
    if heard is not None and heard.correlation >= _HEARD_AT:
        clear_hz = heard.clear_hz()
        band = f"{min(clear_hz, default=0)}–{max(clear_hz, default=0)} Hz"
        words = _("the microphone hears it at %(level)s dBFS after %(delay)d ms, %(band)s")
        said.append(words % {"level": heard.level_dbfs, "delay": heard.delay_ms, "band": band})
    elif heard is not None:
        said.append(_("the microphone does not hear it"))
    if "metered_cdb" in figures:
        said.append(_("the line meter shows %(level)s dB") % {"level": int(figures["metered_cdb"]) / 100})
    return ", ".join(said)


def _stands_out(figures: dict[str, Figure]) -> bool:
    """Of what the meter shows in silence: rectifiers never rest at nothing."""
    loudest_cdb = int(figures.get("metered_cdb", _METER_FLOOR_CDB))
    return loudest_cdb > max(
        _METER_FLOOR_CDB, int(figures.get("metered_rest_cdb", _METER_FLOOR_CDB)) + _ABOVE_REST_CDB
    )


def _judged(bench: Bench, figures: dict[str, Figure], heard: Heard | None) -> tuple[Result, str]:
    wanted_ms = SWEEP_FRAMES * FRAME_MS
    if float(figures["played_ms"]) > wanted_ms * (1 + _PACE_OFF) + 500:
        return Result.FAIL, _("The card takes sound too slowly. Use another USB port or another card.")
    if bench.parts.meter is not None and not _stands_out(figures):
        return Result.FAIL, _(
            "Nothing arrives at the speaker line: check amplifier, its volume knob, fuse and relay."
        )
    if heard is not None and heard.correlation < _HEARD_AT:
        advice = _("Go and listen. If the horn sounds, the microphone is too far away or unplugged.")
        return (Result.OK, "") if "metered_cdb" in figures else (Result.WARN, advice)
    if heard is not None and len(heard.clear_hz()) < len(TONES_HZ) // 3:
        return Result.WARN, _("Little of the speech band arrives. Look for water or a nest in the horn.")
    if heard is None and "metered_cdb" not in figures:
        return Result.WARN, _("Nothing on this board can hear it: go and listen at the horn.")
    return Result.OK, ""
