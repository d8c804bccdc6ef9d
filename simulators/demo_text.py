"""What the demo prints: addresses, people with their passwords, three things to try."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from controller.demo import PROVINCE, demo_places
from protocol.audible_config import DEFAULT_QUIET_HOURS, in_any
from protocol.clock import WallMs, local_datetime
from simulators.language import N_, translator
from simulators.province import Province

_ROLES: Final = {
    "author": N_("writes"),
    "approver": N_("approves"),
    "operator": N_("signs"),
    "technician": N_("takes in devices"),
    "auditor": N_("looks, changes nothing"),
}
_TRIES: Final = (
    N_(
        "1. A programme: sign in as {author}, “Compose”, upload a sound or type a text, choose “now”, submit; "
        "sign in as {approver} in another window and approve; as {author} again open “Signing” and sign with the "
        "passphrase of {signer}. Watch “Devices”: received, ready, sounding, heard."
    ),
    N_(
        "2. A device: open {device}, press “Listen to the village”, hold the talk button, cut the network in the "
        "middle of a programme, pull the plug, let a foreign station come in."
    ),
    N_(
        "3. An emergency: sign in as {author}, “Emergency”, choose the commune, read how many will hear it, send; "
        "sign; cancel it with one touch."
    ),
)


class Speaker:
    """Says each sentence in the chosen languages."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._languages = tuple(languages)

    def say(self, sentence: str, **values: object) -> None:
        """One line for each language."""
        for language in self._languages:
            print(translator(language)(sentence).format(**values), flush=True)

    def words(self, sentence: str) -> str:
        """A few words in all languages, one after the other."""
        said = (translator(language)(sentence) for language in self._languages)
        return " / ".join(dict.fromkeys(said))


def tell_taken(speaker: Speaker, port: int, option: str) -> None:
    """Somebody else listens there."""
    speaker.say(
        N_("Port {port} is taken by another program. Stop that program, or choose another port: {option} {other}"),
        port=port,
        option=option,
        other=port + 1000,
    )


def tell_ready(speaker: Speaker, province: Province) -> None:
    """All is up."""
    _tell_addresses(speaker, province)
    _tell_people(speaker, province)
    _tell_tries(speaker, province)
    tell_quiet(speaker, WallMs(time.time_ns() // 1_000_000))
    print()
    speaker.say(N_("Ctrl-C stops everything."))


def tell_quiet(speaker: Speaker, wall: WallMs) -> None:
    """In the evening the first thing one tries would be refused; whoever does not know why takes it for broken."""
    if in_any(DEFAULT_QUIET_HOURS, wall):
        print()
        speaker.say(
            N_(
                "It is {time} in Viet Nam, within the demo's quiet hours (21:00–06:00, the night of QCVN 26:2025): "
                "“now” is refused, choose a time after 06:00. Microphone, message buttons and emergencies "
                "sound at night, too."
            ),
            time=f"{local_datetime(wall):%H:%M}",
        )


def _tell_addresses(speaker: Speaker, province: Province) -> None:
    addresses = province.addresses
    print()
    speaker.say(N_("The demo province is running."))
    places = (
        (N_("Controller"), addresses.controller),
        (N_("Signer of the demo"), addresses.signer),
        (N_("Simulated village"), addresses.panel),
    )
    width = max(len(speaker.words(name)) for name, _ in places)
    for name, url in places:
        print(f"  {speaker.words(name):<{width}}  {url}")


def _tell_people(speaker: Speaker, province: Province) -> None:
    names = {path: one["name"] for path, one in demo_places(province.demo).items()}
    print()
    speaker.say(N_("People of the demo (name, password, what they may do, where):"))
    for one in province.demo.accounts:
        acts = ", ".join(speaker.words(_ROLES[role]) for role in one.roles)
        print(f"  {one.login:<15} {one.password:<22} {one.name:<18} {acts} – {names[one.scope]}")
    print()
    speaker.say(N_("Their keys at the signer (name, passphrase):"))
    for person in province.ceremony.people:
        print(f"  {person.key:<3} {person.passphrase:<34} {person.holder:<18} {names[person.scope]}")


def _tell_tries(speaker: Speaker, province: Province) -> None:
    print()
    speaker.say(N_("Three things to try:"))
    first, accounts = province.demo.devices[0], province.demo.accounts
    near = [one for one in accounts if one.scope != PROVINCE and first.place.startswith(f"{one.scope}/")]
    author = next(one for one in near if "author" in one.roles)
    approver = next(one for one in near if "approver" in one.roles)
    signer = next(one for one in province.ceremony.people if one.scope == author.scope)
    for one in _TRIES:
        print()
        speaker.say(
            one,
            author=author.login,
            approver=approver.login,
            signer=signer.holder,
            device=f"{province.addresses.controller}/devices/{first.id}",
        )
