"""Sentences for what devices tell: why something was refused, what is wrong, what sounds."""

from __future__ import annotations

import re
from typing import Final

from controller.devices.clone import CloneSign
from controller.devices.domain import Delivery, Reach
from controller.devices.history import StandingSeen
from controller.web.i18n import N_, gettext
from protocol.errors import Refusal
from protocol.report import EndReason, FaultCode

_STICK: Final = re.compile(
    r"usb: (?P<documents>[0-9]{1,4}) documents, (?P<new>[0-9]{1,4}) new, (?P<refused>[0-9]{1,4}) refused"
)

REFUSALS: Final[dict[Refusal, str]] = {
    Refusal.TOO_LARGE: N_("The message is larger than a loudspeaker accepts. Split it or shorten it."),
    Refusal.MALFORMED_ENVELOPE: N_("The message arrived damaged and could not be read."),
    Refusal.UNKNOWN_TYPE: N_("The loudspeaker does not know this kind of document. Its software may be too old."),
    Refusal.UNKNOWN_KEY: N_("It was signed with a key that nobody gave authority for this loudspeaker."),
    Refusal.BAD_SIGNATURE: N_("The signature is false: the content was changed after it was signed."),
    Refusal.THRESHOLD_NOT_MET: N_("Too few people signed it. Another authorised person has to sign as well."),
    Refusal.MALFORMED_DOCUMENT: N_("The content breaks the rules for such a document and was not used."),
    Refusal.OUT_OF_SCOPE: N_("Whoever signed it has no authority over this place."),
    Refusal.VERB_NOT_GRANTED: N_("Whoever signed it may not do this kind of thing."),
    Refusal.GRANT_EXPIRED: N_("The authority of whoever signed it has ended. Renew the authority, then sign again."),
    Refusal.GRANT_RENEWED: N_(
        "The authority of whoever signed it was replaced by a newer one. Sign again with the key that it names."
    ),
    Refusal.GRANT_DENIED: N_("The authority of whoever signed it was withdrawn."),
    Refusal.GRANT_WIDER_THAN_PARENT: N_("The authority given is wider than that of the unit which gave it."),
    Refusal.GRANT_WITHOUT_PARENT: N_("The authority above the signer's is missing on the loudspeaker."),
    Refusal.CLOCK_NOT_TRUSTED: N_(
        "The loudspeaker does not know the time for certain, so it obeys nothing that is timed."
    ),
    Refusal.EXPIRED: N_("It came too late: its time had already ended."),
    Refusal.NOT_YET_VALID: N_("It is dated in the future. The clock of the computer that signed it may be wrong."),
    Refusal.LIFETIME_TOO_LONG: N_("It is meant to last longer than is allowed."),
    Refusal.OLDER_VERSION: N_("The loudspeaker already obeys a newer version of this."),
    Refusal.REPLAYED: N_("The same message came a second time; the loudspeaker obeys each one only once."),
    Refusal.CANCELLED_BEFORE: N_("It had been cancelled before it arrived."),
    Refusal.WRONG_NONCE: N_("The answer about the time was not for this question."),
    Refusal.TOO_MANY: N_("The loudspeaker holds too many documents of this kind."),
    Refusal.NOT_STORED: N_("The loudspeaker could not store it; its memory may be full or worn out."),
    Refusal.NOT_BY_STICK: N_("It came on a USB stick. What sounds at once is only obeyed when it comes by network."),
}

FAULTS: Final[dict[FaultCode, str]] = {
    FaultCode.MEDIA_MISSING: N_("A programme had not arrived when it should have sounded. Check the connection."),
    FaultCode.MEDIA_DAMAGED: N_("A stored programme was damaged; it is being fetched again."),
    FaultCode.SOUND_MISSING: N_("It should sound, but no sound is measured. Check amplifier, cable and horns."),
    FaultCode.SOUND_UNEXPECTED: N_(
        "It sounds although nothing was ordered. The amplifier was switched off; check the device."
    ),
    FaultCode.PLAYER_FAILED: N_("A programme could not be played."),
    FaultCode.CARD_LOST: N_("The sound card is not found. Check its plug."),
    FaultCode.FM_REFUSED: N_("The radio relay was refused: no signal, or not the station that was signed."),
    FaultCode.TALK_STUCK: N_("The talk button was held for too long and was cut off. It may be stuck."),
    FaultCode.CLOCK_NOT_TRUSTED: N_(
        "The device does not know the time for certain; nothing that is timed will play."
    ),
    FaultCode.SCHEDULE_EXPIRED: N_("The schedule has ended; stored programmes do not play. Sign a new one."),
    FaultCode.HEAD_STALE: N_("The device has had no word from the centre for days; stored programmes do not play."),
    FaultCode.DOCUMENT_WITHHELD: N_(
        "The centre has something newer for this device, and it does not arrive. Check the connection; if it stays,"
        " somebody may be holding messages back."
    ),
    FaultCode.STORAGE_FULL: N_("The memory is full."),
    FaultCode.STATE_DAMAGED: N_("Stored data was damaged, by a power cut for instance; the device started afresh."),
    FaultCode.LIVE_STALLED: N_("The live broadcast did not arrive any more."),
    FaultCode.STREAM_LOST: N_("The web radio to relay cannot be reached or fell silent; it is tried again."),
    FaultCode.MESSAGE_MISSING: N_("A message button was pressed, and there is no such message on the device."),
    FaultCode.LINE_FAULT: N_("The speaker line is cut, shorted or has lost horns. Check the cable."),
    FaultCode.POWER_LOW: N_("The supply voltage is too low; the device may stop at any time. Check its supply."),
    FaultCode.GUARDIAN_LOST: N_("The guardian does not answer; nobody takes over if the computer stops."),
    FaultCode.TUNER_LOST: N_("The radio receiver does not answer; there is no radio relay."),
    FaultCode.CLOCK_CHIP_LOST: N_(
        "The clock chip does not answer; after a power cut without network the device does not know the time."
    ),
    FaultCode.METER_LOST: N_("The meter at the amplifier does not answer; what really sounds is not measured."),
}

FAULT_NAMES: Final[dict[FaultCode, str]] = {
    FaultCode.MEDIA_MISSING: N_("Programme missing"),
    FaultCode.MEDIA_DAMAGED: N_("Programme damaged"),
    FaultCode.SOUND_MISSING: N_("No sound measured"),
    FaultCode.SOUND_UNEXPECTED: N_("Sound nobody ordered"),
    FaultCode.PLAYER_FAILED: N_("Cannot play"),
    FaultCode.CARD_LOST: N_("Sound card lost"),
    FaultCode.FM_REFUSED: N_("Radio refused"),
    FaultCode.TALK_STUCK: N_("Talk button stuck"),
    FaultCode.CLOCK_NOT_TRUSTED: N_("Time not certain"),
    FaultCode.SCHEDULE_EXPIRED: N_("Schedule ended"),
    FaultCode.HEAD_STALE: N_("No word from the centre"),
    FaultCode.DOCUMENT_WITHHELD: N_("A document does not arrive"),
    FaultCode.STORAGE_FULL: N_("Memory full"),
    FaultCode.STATE_DAMAGED: N_("Stored data damaged"),
    FaultCode.LIVE_STALLED: N_("Live broadcast stalled"),
    FaultCode.STREAM_LOST: N_("Web radio lost"),
    FaultCode.MESSAGE_MISSING: N_("No such stored message"),
    FaultCode.LINE_FAULT: N_("Speaker line faulty"),
    FaultCode.POWER_LOW: N_("Supply voltage low"),
    FaultCode.GUARDIAN_LOST: N_("Guardian does not answer"),
    FaultCode.TUNER_LOST: N_("Radio receiver lost"),
    FaultCode.CLOCK_CHIP_LOST: N_("Clock chip lost"),
    FaultCode.METER_LOST: N_("Level meter lost"),
}

CLONE_SIGNS: Final[dict[CloneSign, str]] = {
    CloneSign.BOOTS_ALTERNATE: N_("Two boxes use this device's identity."),
    CloneSign.CONNECTIONS_FLAP: N_(
        "This device connects again and again: its power or its line flickers, or two boxes use its identity."
    ),
}
CLONE_NAMES: Final[dict[CloneSign, str]] = {
    CloneSign.BOOTS_ALTERNATE: N_("Two boxes, one identity"),
    CloneSign.CONNECTIONS_FLAP: N_("Connects again and again"),
}

RUNGS: Final[dict[int, str]] = {
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

REACHES: Final[dict[Reach, str]] = {
    Reach.ONLINE: N_("Online"),
    Reach.QUIET: N_("Gone quiet"),
    Reach.LOST: N_("Lost"),
    Reach.NEW: N_("Never heard from"),
}
REACH_BADGES: Final = {Reach.ONLINE: "good", Reach.QUIET: "wait", Reach.LOST: "bad", Reach.NEW: "idle"}

DELIVERIES: Final[dict[Delivery, str]] = {
    Delivery.QUEUED: N_("On its way"),
    Delivery.RECEIVED: N_("Received"),
    Delivery.READY: N_("Ready to play"),
    Delivery.SOUNDING: N_("Sounding"),
    Delivery.HEARD: N_("Heard"),
    Delivery.UNHEARD: N_("Not heard"),
    Delivery.REFUSED: N_("Refused"),
    Delivery.CANCELLED: N_("Cancelled"),
    Delivery.NO_WORD: N_("Ended without word"),
}
DELIVERY_BADGES: Final = {
    Delivery.QUEUED: "wait",
    Delivery.RECEIVED: "idle",
    Delivery.READY: "busy",
    Delivery.SOUNDING: "good",
    Delivery.HEARD: "good",
    Delivery.UNHEARD: "bad",
    Delivery.REFUSED: "bad",
    Delivery.CANCELLED: "idle",
    Delivery.NO_WORD: "bad",
}

END_REASONS: Final[dict[EndReason, str]] = {
    EndReason.COMPLETE: N_("to its end"),
    EndReason.SUPERSEDED: N_("gave way to something more important"),
    EndReason.INTERRUPTED: N_("interrupted"),
    EndReason.CANCELLED: N_("cancelled"),
    EndReason.STOPPED: N_("stopped by a person"),
    EndReason.WINDOW_CLOSED: N_("its time window closed"),
    EndReason.SOURCE_FAILED: N_("the source failed"),
}

KINDS: Final[dict[str, str]] = {
    "grant": N_("Authority"),
    "assignment": N_("Place of the loudspeaker"),
    "denial": N_("End of an authority"),
    "schedule": N_("Schedule"),
    "audible-config": N_("Rules of the loudspeaker"),
    "alert": N_("Emergency alert"),
    "alert-drill": N_("Drill"),
    "alert-test": N_("Test"),
    "cancel": N_("Cancellation"),
    "stop": N_("Stop order"),
    "live-session": N_("Live broadcast"),
    "head": N_("Sign of life from the centre"),
    "attestation": N_("Time from the centre"),
    "anchor": N_("Anchor of the province"),
    "root-word": N_("Word of the root"),
    "root": N_("Files of the root"),
    "bundle": N_("USB stick"),
}

CLOCKS: Final[dict[str, str]] = {
    "none": N_("not known"),
    "attested": N_("confirmed by the centre"),
    "agreed": N_("confirmed by two sources"),
}


def document(seen: StandingSeen) -> str:
    """What a device took: the document's kind, or what a stick brought; else a part of its digest."""
    stick = _STICK.fullmatch(seen.detail or "")
    if stick is not None:
        words = gettext("USB stick: %(documents)s documents, %(new)s new, %(refused)s refused")
        return words % stick.groupdict()
    return kind(seen.kind) if seen.kind else gettext("Document %(digest)s") % {"digest": seen.document[:12]}


def refusal(name: str | None) -> str:
    """The sentence for a refusal; a name we do not know is shown as it is."""
    try:
        return gettext(REFUSALS[Refusal(name or "")])
    except ValueError:
        return name or ""


def fault(name: str) -> str:
    """The sentence for a fault."""
    try:
        return gettext(FAULTS[FaultCode(name)])
    except ValueError:
        return name


def fault_name(name: str) -> str:
    """The fault in two or three words, for a list."""
    if name in CLONE_NAMES:
        return gettext(CLONE_NAMES[CloneSign(name)])
    try:
        return gettext(FAULT_NAMES[FaultCode(name)])
    except ValueError:
        return name


def clone_sign(sign: CloneSign) -> str:
    """The sentence for a suspicion that two boxes use one identity."""
    return gettext(CLONE_SIGNS[sign])


def rung(number: int) -> str:
    """What a rung of the ladder is called."""
    return gettext(RUNGS[number])


def reach(grade: Reach) -> str:
    """What a grade is called."""
    return gettext(REACHES[grade])


def delivery(state: Delivery) -> str:
    """What the state of a delivery is called."""
    return gettext(DELIVERIES[state])


def end_reason(name: str) -> str:
    """Why a sound ended."""
    return gettext(END_REASONS[EndReason(name)])


def kind(name: str) -> str:
    """What a kind of document is called."""
    return gettext(KINDS[name]) if name in KINDS else name


def clock(name: str) -> str:
    """How far the device believes its clock."""
    return gettext(CLOCKS[name]) if name in CLOCKS else name
