"""A scene: honest offices, the attacker between, one loudspeaker; and what all attacks have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from protocol.alert import Alert
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.keys import SigningKey
from protocol.report import Receipt, Standing
from protocol.topics import ALERT, DOC, unit_topic
from simulators.attacker import PATHS, Attacker
from simulators.tone_voice import tone_speech
from tests.attacks.loudspeaker import Loudspeaker, OnDisk
from tests.attacks.offices import C1, COMMUNE, Offices, seal

BUNDLE: Final = "bundle"
ITEMS: Final = 2
"""Items of the true schedule: the morning's and one at dawn."""
Forge = Callable[[str], bytes]
"""Makes the bytes for one path; different for each, so each is told by itself."""


@dataclass(repr=False)  # pytest shows fixtures, and minutes of samples are long
class Scene:
    """Everything of one test.

    Attributes:
        programme: samples of the true programme.
        schedule, config: what is in force at the beginning.
        key: the commune's operator's.
    """

    offices: Offices
    attacker: Attacker
    speaker: Loudspeaker
    programme: bytes
    schedule: Envelope
    config: Envelope
    key: SigningKey = C1

    @property
    def wall(self) -> int:
        """The true time."""
        return self.speaker.clock.now().wall

    async def power_up(self) -> None:
        """Starts the agent and waits until it stands as it should."""
        known = len(self.attacker.receipts())
        await self.boot()
        await self.speaker.wait_state(
            lambda state: (
                state.link_up
                and state.clock.agreed is not None
                and {"schedule/" + COMMUNE, "audible-config/" + COMMUNE} <= set(state.trust.documents)
                and self.offices.media.digest in state.media
            )
        )
        await self.attacker.until(lambda: len(self._ready(known)) >= ITEMS)

    def _ready(self, known: int) -> list[Receipt]:
        """Items told as ready since so many receipts: the last that a start tells."""
        return [one for one in self.attacker.receipts()[known:] if one.standing is Standing.READY]

    async def boot(self) -> None:
        """Starts the agent."""
        await self.speaker.start(http_port=self.attacker.web.port, mqtt_port=self.attacker.broker.port)

    def send(self, kind: Kind, document: object, *keys: SigningKey) -> Envelope:
        """Signs a true document and has it delivered over MQTT, as a working network would."""
        envelope = seal(kind, document, *(keys or (self.key,)))
        self.attacker.history.append(envelope)
        if kind in (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG, Kind.GRANT):
            self.attacker.on_topic(DOC, self.offices.parcel(envelope))
        else:
            self.attacker.on_topic(ALERT, envelope.pack())
        return envelope

    async def retain(self, *documents: Envelope) -> None:
        """The honest controller's parcel, for every connection to come."""
        self.attacker.broker.retained = [(unit_topic(COMMUNE, DOC), self.offices.parcel(*documents))]

    async def alarm(self, **fields: Any) -> Alert:
        """A true emergency, and proof that it is heard."""
        began, alert = self.wall, self.offices.alert(**fields)
        self.send(Kind.ALERT, alert)
        await asyncio.sleep(alert.tone_ms / 1000 + 2)
        await self.speaker.until_heard(tone_speech(alert.parts[0].text), began, within_s=15)
        return alert

    async def call_off(self, alert: Alert) -> None:
        """Its cancel, and silence again."""
        self.send(Kind.CANCEL, self.offices.cancel(alert))
        await self.speaker.until_quiet()

    async def still_obeys(self) -> None:
        """The device is neither bricked nor wedged: a true emergency is heard, and can be called off."""
        await self.call_off(await self.alarm())

    # What every attack has in common.

    async def refused(
        self, forge: Forge, reason: Refusal | Iterable[Refusal], *, paths: Iterable[str] = PATHS
    ) -> None:
        """Delivers a forgery by each path: each is told with its reason, nothing is heard, nothing is changed."""
        began, before = self.wall, self.speaker.on_disk()
        known = len(self.attacker.receipts())
        for path in paths:
            await self.attacker.deliver(path, forge(path))
            await self.told(known, reason, path=path)
            known += 1
        await self.speaker.silent_for(6, since_ms=began)
        extra = [one for one in self.attacker.receipts()[known:] if one.kind != BUNDLE]
        assert not extra, f"something else was told: {extra}"
        assert self.speaker.on_disk() == before
        await self.still_obeys()

    def _of_documents(self) -> list[Receipt]:
        """A stick is told of as a whole, besides each document on it."""
        return [one for one in self.attacker.receipts() if one.kind != BUNDLE]

    async def told(self, known: int, reason: Refusal | Iterable[Refusal], *, path: str = "") -> None:
        """The next receipt after so many is this refusal; a command on a stick may be refused for being on one."""
        await self.attacker.until(lambda: len(self.attacker.receipts()) > known)
        receipt = self.attacker.receipts()[known]
        expected = {reason} if isinstance(reason, Refusal) else set(reason)
        expected |= {Refusal.NOT_BY_STICK} if path == "stick" else set()
        assert receipt.refusal in expected, f"refused because of {receipt.refusal}: {receipt.detail}"

    async def ignored(self, act: Callable[[], Awaitable[object] | object], *, seconds: float = 8) -> None:
        """An act that changes nothing and is not worth a word: nothing heard, nothing changed, nothing told."""
        began, before, known = self.wall, self.speaker.on_disk(), len(self._of_documents())
        done = act()
        if isinstance(done, Awaitable):
            await done
        await self.speaker.silent_for(seconds, since_ms=began)
        assert len(self._of_documents()) == known
        assert self.speaker.on_disk() == before

    async def until(self, wall_ms: float) -> None:
        """Lets virtual time pass until a wall instant."""
        await asyncio.sleep(max(0.0, wall_ms - self.wall) / 1000)

    async def programme_heard(self, start_ms: float) -> None:
        """The true programme began at its second: the first five of it are where they belong."""
        await self.until(start_ms + 6000)
        self.speaker.plays(self.programme[: 5 * 96_000], start_ms)


def changed(before: OnDisk, after: OnDisk) -> dict[str, tuple[str | None, str | None]]:
    """Stored documents that are not as they were."""
    keys = before.documents.keys() | after.documents.keys()
    pairs = {key: (before.documents.get(key), after.documents.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
