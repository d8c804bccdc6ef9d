"""What may come out of the horn: one value for each kind of source, and the ladder's rungs.

An output says everything the sound path needs, so switching is one message. Two outputs with the same `key` are the
same sound: the engine goes on with it and does not start again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from protocol.alert import Part, Tone
from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, WallMs
from protocol.units import UnitPath


class Rung(IntEnum):
    """The ladder of behaviour.md, section 1; the lowest number that has something to say is what sounds."""

    EMERGENCY_MICROPHONE = 1
    EMERGENCY = 2
    MICROPHONE = 3
    LIVE_PRIORITY = 4
    PRIORITY = 5
    ORDINARY = 6
    FM_SLOT = 7
    FM_FALLBACK = 8
    SILENCE = 9


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing; the amplifier goes off after its hold time."""

    rung: Rung = Rung.SILENCE

    @property
    def key(self) -> str:
        """Identity of the sound."""
        return "silence"


@dataclass(frozen=True, slots=True)
class MicrophoneOutput:
    """The person at the device."""

    rung: Rung
    attenuation_cdb: int = 0

    @property
    def key(self) -> str:
        """Identity of the sound."""
        return f"microphone/{self.rung}"


@dataclass(frozen=True, slots=True)
class MessageOutput:
    """A stored message, once from its beginning, because somebody at the device pressed its button.

    Attributes:
        document: digest of the configuration that names it.
        pressed: when; the same message pressed again is another sound.
    """

    rung: Rung
    document: str
    number: int
    media: MediaRef
    pressed: MonoMs
    attenuation_cdb: int = 0

    @property
    def key(self) -> str:
        """Identity of the sound."""
        return f"message/{self.number}/{self.media.digest}/{self.pressed}"


@dataclass(frozen=True, slots=True)
class AlertOutput:
    """Attention tone, each part, a gap, and again until something else is chosen.

    Attributes:
        document: digest of the signed alert.
        parts: spoken by the local voice unless the named recording is stored; those of all alerts, in turn.
        others: digests of further alerts whose parts follow those of the first: told in turn, never lost.
    """

    document: str
    alert_id: str
    tone: Tone
    tone_ms: int
    gap_ms: int
    parts: tuple[Part, ...]
    attenuation_cdb: int = 0
    rung: Rung = Rung.EMERGENCY
    others: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Identity of the sound."""
        return "alert/" + "+".join((self.document, *self.others))


@dataclass(frozen=True, slots=True)
class ProgrammeOutput:
    """A stored programme.

    Attributes:
        document, item, start: the occurrence.
        origin: wall time at which the first sample of the media belongs; what sounds at time t is the media at
            t - origin. Equals `start`, except when an item begins again or has waited for its turn.
        scope: unit of the schedule; two units may give an item the same id.
    """

    rung: Rung
    document: str
    item: str
    start: WallMs
    origin: WallMs
    media: MediaRef
    attenuation_cdb: int = 0
    scope: UnitPath | None = None

    @property
    def key(self) -> str:
        """Identity of the sound: a new version of the schedule does not disturb what it leaves unchanged."""
        return f"programme/{self.item}/{self.start}/{self.origin}/{self.media.digest}/{self.scope}"


@dataclass(frozen=True, slots=True)
class LiveOutput:
    """A live session; its segments reach the engine through the runner."""

    rung: Rung
    document: str
    session_id: str
    attenuation_cdb: int = 0

    @property
    def key(self) -> str:
        """Identity of the sound."""
        return f"live/{self.session_id}"


@dataclass(frozen=True, slots=True)
class FmOutput:
    """An FM station whose gate is open.

    Attributes:
        document, item, start, scope: the relay slot; None in fallback.
    """

    rung: Rung
    frequency_khz: int
    document: str | None = None
    item: str | None = None
    start: WallMs | None = None
    attenuation_cdb: int = 0
    scope: UnitPath | None = None

    @property
    def key(self) -> str:
        """Identity of the sound."""
        return f"fm/{self.rung}/{self.frequency_khz}/{self.item}/{self.start}/{self.scope}"


@dataclass(frozen=True, slots=True)
class StreamOutput:
    """A web radio in its relay slot.

    Attributes:
        document, item, start, scope: the relay slot.
        address: where it is, as signed.
    """

    rung: Rung
    document: str
    item: str
    start: WallMs
    address: str
    attenuation_cdb: int = 0
    scope: UnitPath | None = None

    @property
    def key(self) -> str:
        """Identity of the sound."""
        return f"stream/{self.item}/{self.start}/{self.scope}/{self.address}"


Output = (
    Silence | MicrophoneOutput | MessageOutput | AlertOutput | ProgrammeOutput | LiveOutput | FmOutput | StreamOutput
)
SlotOutput = ProgrammeOutput | FmOutput | StreamOutput
"""What sounds an occurrence of a schedule; FM also without one."""
