"""Refused sound or text in words for whoever sent it: what is wrong, and what to do."""

from __future__ import annotations

from typing import Any, Final

from controller.library.refusal import Reason, SoundRefusedError
from controller.web.explained import N_, Explained
from controller.web.i18n import gettext

_SENTENCES: Final[dict[Reason, tuple[str, int]]] = {
    Reason.NOT_AUDIO: (
        N_(
            "This file is not sound: it looks like %(thing)s. Please choose an mp3, ogg, opus, m4a, wav or flac file."
        ),
        422,
    ),
    Reason.VIDEO: (
        N_("This file is a film. Please save only its sound, for example as mp3, and send that."),
        422,
    ),
    Reason.EMPTY: (N_("This file is empty. Please check that the recording was saved, then choose it again."), 422),
    Reason.TOO_LARGE: (
        N_("This file is larger than %(megabytes)s MB. Please save it as mp3 or divide it, then send it again."),
        413,
    ),
    Reason.TOO_LONG: (
        N_("This sound is longer than %(hours_max)s hours. Please divide it into shorter parts."),
        422,
    ),
    Reason.TOO_SHORT: (
        N_("This sound is shorter than half a second, too short to be heard. Please choose another file."),
        422,
    ),
    Reason.CUT_OFF: (
        N_(
            "This file was cut off: it ends after %(seconds)s seconds, before its own end. "
            "Please copy it again from where it was made, then send it again."
        ),
        422,
    ),
    Reason.DAMAGED: (
        N_("Parts of this file are damaged. Please copy it again from where it was made, then send it again."),
        422,
    ),
    Reason.SILENT: (
        N_("There is only silence in this file. Please check the microphone, record again and send that."),
        422,
    ),
    Reason.TEXT_EMPTY: (N_("There is no text to speak. Please type what the loudspeakers shall say."), 422),
    Reason.TEXT_TOO_LONG: (
        N_("The text has %(chars)s characters; at most %(chars_max)s can be spoken. Please divide it into two."),
        422,
    ),
    Reason.TEXT_UNSAYABLE: (
        N_("The voice cannot say these characters: %(characters)s. Please remove them or write them in words."),
        422,
    ),
    Reason.NO_VOICE: (
        N_("There is no voice for this language yet. Please record it with a person's voice and upload that."),
        422,
    ),
    Reason.VOICE_LOST: (
        N_("The voice does not work at the moment. Your text is kept; please try again, or tell the technician."),
        503,
    ),
    Reason.DISK_FULL: (
        N_("The server's disk is full, so the sound was not kept. Please tell the technician; nothing else is lost."),
        507,
    ),
    Reason.WORKER_LOST: (
        N_("The sound could not be prepared, perhaps because the file is damaged. Please save it anew as mp3."),
        422,
    ),
    Reason.CANCELLED: (N_("You gave this up. Nothing was kept."), 409),
    Reason.BUSY: (N_("Many sounds are being prepared just now. Please wait a minute and try again."), 503),
}

_CUT_AT_HEAD: Final = N_(
    "This file was cut off: parts of it are missing. Please copy it again from where it was made, then send it again."
)

_THINGS: Final = {
    "picture": N_("a picture"),
    "document": N_("a document"),
    "archive": N_("an archive"),
    "video": N_("a film"),
    "text": N_("a text"),
    "unknown": N_("something unknown"),
}


def explained(refused: SoundRefusedError) -> Explained:
    """The refusal as a sentence, in the language of the request."""
    sentence, status = _SENTENCES[refused.reason]
    if refused.reason is Reason.CUT_OFF and not refused.values.get("seconds"):
        sentence = _CUT_AT_HEAD
    values: dict[str, Any] = dict(refused.values)
    if "looks_like" in values:
        values["thing"] = gettext(_THINGS[str(values.pop("looks_like"))])
    return Explained(sentence, status=status, code=refused.reason.value, **values)
