"""All of a simulated device's hardware behind one name, with handles for whoever plays the world around it."""

from __future__ import annotations

from edge.adapters.panel_events import PanelEvents
from edge.core.events import ClockSource
from hardware.board_watch import GuardianCheck
from hardware.interfaces import ClockChip, Guardian
from simulators.amplifier import SimAmplifier
from simulators.button import SimButtons
from simulators.fm_station import SimEther, SimTuner
from simulators.guardian import GuardedAmplifier, SimGuardian
from simulators.horn import SimHorn
from simulators.lamps import SimLamps
from simulators.loop_clock import LoopClock
from simulators.meter import SimMeter
from simulators.microphone import SimMicrophone
from simulators.part_watch import SimWatch
from simulators.sound_card import SimSoundCard
from simulators.time_source import SimTimeSources


class SimBoard:
    """Implements `edge.ports.Board`.

    What may be done to it: `buttons` are pressed, stations of the `ether` come and go, `sound_card` is unplugged,
    the `sim_microphone` hears or breaks, the amplifier is bridged, the `horn` is listened to.

    Args:
        ether: what the place receives; None for a board without an FM tuner.
        metered: whether the board measures at the amplifier's output.
        guarded: whether a guardian stands between the card and the horn. It owns relay and amplifier line and has a
            tuner of its own, so whatever ends the agent leaves it as it is.
        keep_s: how far back the horn can be asked.
    """

    def __init__(
        self,
        clock: LoopClock,
        *,
        ether: SimEther | None = None,
        metered: bool = True,
        keep_s: int = 120,
        guarded: bool = False,
    ) -> None:
        self.sim_guardian = SimGuardian(clock, ether=ether, keep_s=keep_s) if guarded else None
        self.horn: SimHorn = SimHorn(clock, keep_s=keep_s) if self.sim_guardian is None else self.sim_guardian.horn
        self.sound_card = SimSoundCard(clock, self.horn)
        self.sim_amplifier = SimAmplifier(clock, self.horn) if self.sim_guardian is None else self.sim_guardian.line
        self.sim_microphone = SimMicrophone(clock)
        self.sim_tuner = None if ether is None else SimTuner(clock, ether)
        self.buttons = SimButtons()
        self._panel = PanelEvents(self.buttons)
        self.time_sources = SimTimeSources(clock, ClockSource.NTP, ClockSource.RTC)
        self.sim_lamps = SimLamps()
        self.sim_watch = SimWatch(*(() if self.sim_guardian is None else (GuardianCheck(self.sim_guardian),)))
        self._meter = SimMeter(self.horn, fitted=metered)

    def set_computer(self, on: bool) -> None:
        """The computer gets power, or ends in the middle of a sample; a guardian has a supply of its own."""
        (self.sound_card.plug if on else self.sound_card.unplug)()
        if self.sim_guardian is not None:
            self.sim_guardian.cut_off = not on
        elif not on:
            self.sim_amplifier.drive(False)

    def card(self) -> SimSoundCard:
        """See `edge.ports.Board`."""
        return self.sound_card

    def microphone(self) -> SimMicrophone:
        """See `edge.ports.Board`."""
        return self.sim_microphone

    def tuner(self) -> SimTuner | None:
        """See `edge.ports.Board`."""
        return self.sim_tuner

    def panel(self) -> PanelEvents:
        """See `edge.ports.Board`."""
        return self._panel

    def amplifier(self) -> SimAmplifier | GuardedAmplifier:
        """See `edge.ports.Board`."""
        return self.sim_amplifier if self.sim_guardian is None else self.sim_guardian.amplifier()

    def meter(self) -> SimMeter:
        """See `edge.ports.Board`."""
        return self._meter

    def clock_sources(self) -> SimTimeSources:
        """See `edge.ports.Board`."""
        return self.time_sources

    def clock_chip(self) -> ClockChip | None:
        """See `edge.ports.Board`: what its time sources say is enough here."""
        return None

    def lamps(self) -> SimLamps:
        """See `edge.ports.Board`."""
        return self.sim_lamps

    def guardian(self) -> Guardian | None:
        """See `edge.ports.Board`."""
        return self.sim_guardian

    def watch(self) -> SimWatch:
        """See `edge.ports.Board`."""
        return self.sim_watch
