"""What an audible configuration says, value by value, beside the one signed before."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.audible_config import AudibleConfig, StoredMessage
from protocol.limits import MESSAGES_MAX
from signer import wording
from signer.i18n import gettext as _
from signer.places import Places, Reach


@dataclass(frozen=True, slots=True)
class Setting:
    """One value; `before` is None when it did not change or nothing was signed before."""

    label: str
    value: str
    before: str | None


@dataclass(frozen=True, slots=True)
class ConfigSheet:
    """A configuration in words; `messages` can be listened to."""

    version: int
    former: int | None
    settings: tuple[Setting, ...]
    reach: Reach
    messages: tuple[StoredMessage, ...] = ()

    @property
    def changed(self) -> int:
        """How many values differ from the version before."""
        return sum(one.before is not None for one in self.settings)


def config_sheet(config: AudibleConfig, *, former: AudibleConfig | None, places: Places) -> ConfigSheet:
    """Puts a configuration into words."""
    before = dict(_rows(former)) if former else {}
    settings = tuple(
        Setting(label, value, before[label] if label in before and before[label] != value else None)
        for label, value in _rows(config)
    )
    reach = places.reach([config.scope])
    return ConfigSheet(config.version, former.version if former else None, settings, reach, config.messages)


def _rows(config: AudibleConfig) -> tuple[tuple[str, str], ...]:
    return (*_quiet_rows(config), *_fm_rows(config), *_sound_rows(config), *_message_rows(config))


def _quiet_rows(config: AudibleConfig) -> tuple[tuple[str, str], ...]:
    return (
        (_("Quiet hours"), wording.window_words(config.quiet_hours)),
        (_("Microphone in quiet hours"), _("allowed") if config.microphone_in_quiet_hours else _("not allowed")),
        (_("Longest talk at the microphone"), wording.length(config.talk_ms_max)),
        (
            _("Stored programmes stop without word from the controller for"),
            _("%(n)d days") % {"n": config.head_age_ms_max // 86_400_000}
            if config.head_age_ms_max >= 86_400_000
            else wording.length(config.head_age_ms_max),
        ),
    )


def _fm_rows(config: AudibleConfig) -> tuple[tuple[str, str], ...]:
    stations = (
        f"{wording.frequency(one.frequency_khz)} {one.name}" + (f" ({one.pi})" if one.pi else "")
        for one in config.fm_stations
    )
    return (
        (_("FM stations that may be relayed"), "; ".join(stations) or _("none")),
        (_("Hours in which FM may step in"), wording.window_words(config.fm_windows)),
        (_("When a programme cannot be played"), wording.fallback_words(config.fallback)),
        (_("When the device's computer fails"), wording.fallback_words(config.on_computer_dead)),
        (_("Weakest FM signal"), f"{config.rssi_floor_dbuv} dBµV"),
        (_("Longest FM relay"), wording.length(config.fm_session_ms_max)),
    )


def _sound_rows(config: AudibleConfig) -> tuple[tuple[str, str], ...]:
    return (
        (_("Volume of ordinary bulletins"), wording.decibels(config.ordinary_attenuation_cdb)),
        (_("Volume of priority bulletins"), wording.decibels(config.priority_attenuation_cdb)),
        (_("Volume of emergencies"), wording.decibels(config.emergency_attenuation_cdb)),
        (_("Amplifier on before the sound"), f"{config.amplifier_lead_in_ms} ms"),
        (_("Amplifier stays on after the sound"), f"{config.amplifier_hold_ms} ms"),
    )


def _message_rows(config: AudibleConfig) -> tuple[tuple[str, str], ...]:
    """Each button by itself: whoever presses it is heard without anybody signing once more."""
    messages = {one.number: one for one in config.messages}
    return tuple(
        (_("Message button %(n)d") % {"n": number}, _message_words(messages.get(number)))
        for number in range(1, MESSAGES_MAX + 1)
    )


def _message_words(message: StoredMessage | None) -> str:
    if message is None:
        return _("none")
    digest = message.media.digest[:12]
    return f"{message.title} ({wording.length(message.media.duration_ms)}, {digest})"
