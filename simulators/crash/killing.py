"""Rounds of killing in a town under load, and what must be there after each: everything that anybody acknowledged.

Three words count. The controller's 2xx: the document is in its database. A device's receipt: the document is in its
store, or a newer one is, or it was obeyed. The controller's confirmation of a report, upon which the device forgets
it: the report is in the controller's database. At the end, when nobody is killed any more, every report that a device
ever kept must have arrived. The broker's own word counts for nothing; how much it was worth is told beside.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from protocol.clock import WallMs
from protocol.envelope import Envelope
from simulators.child import ChildError
from simulators.crash.accounts import Archive, Findings, check_controller, check_device
from simulators.crash.crowd_process import BELIEVE_BROKER
from simulators.crash.kill_town import KillTown, open_kill_town, sound_of
from simulators.crash.ledger import read_ledger
from simulators.town_office import wall_now

_LOAD_S: Final = 0.2
_LOOK_S: Final = 0.05
_RECOVERED_S_MAX: Final = 60.0
_SETTLED_S_MAX: Final = 60.0
_EMERGENCY_MS: Final = 1500
_BETWEEN_S: Final = (0.05, 1.5)


@dataclass(slots=True)
class Toll:
    """What came of it.

    Attributes:
        kills: by victim.
        acknowledged: documents by the controller, receipts by devices, reports by the controller.
        recovery_ms: from each kill until a new document was received by all devices and the controller knew it.
        sent_again: reports that the broker acknowledged more than once, since its first word was worth nothing, or
            the controller's got lost.
    """

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    sent_again: int = 0
    recovery_ms: list[float] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)


class Killing:
    """One town, its signer's load, and its killer.

    Args:
        by_word: whether devices forget a report at the controller's word, so that it must be there from then on.
    """

    def __init__(self, town: KillTown, random: Random, toll: Toll, *, by_word: bool = True) -> None:
        self._town, self._random, self._toll = town, random, toll
        self._signer = Random(random.random())
        self._media = sound_of(town)
        self._acknowledged: list[str] = []
        self._versions: dict[str, tuple[str, int]] = {}
        self._ends: dict[str, int] = {}
        self._count = 0
        self._signing = asyncio.Lock()
        self._probing, self._by_word = False, by_word

    async def run(self, rounds: int) -> None:
        """Kills and looks, so many times; then lets everything settle and looks once more."""
        await self._probe(time.monotonic())
        load = asyncio.create_task(self._load())
        try:
            for _ in range(rounds):
                await asyncio.sleep(self._random.uniform(*_BETWEEN_S))
                await self._round()
        finally:
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
        await self._settle()

    async def _round(self) -> None:
        name, victim = self._random.choice(sorted(self._town.victims().items()))
        began_s = time.monotonic()
        await victim.kill()
        self._toll.kills[name] += 1
        self._look(devices=victim is self._town.agents)
        try:
            await self._town.start(victim)
            self._toll.recovery_ms.append(await self._probe(began_s))
        except (ChildError, TimeoutError) as error:
            self._toll.findings.corrupt.add(f"after a kill, {name} did not come back: {error}")
            raise

    def _look(self, *, devices: bool) -> None:
        """Compares all words with what is there; a process that was not killed goes on meanwhile.

        Args:
            devices: whether the agents are dead, so that their stores can be copied as a whole.
        """
        check_controller(self._town.database, list(self._acknowledged), self._toll.findings)
        archive = Archive(self._town.database)
        for name in self._town.names:
            data = self._town.data_of(name)
            if devices:
                check_device(data, versions=self._versions, over=self._over(), findings=self._toll.findings)
            if not self._by_word:
                continue  # what the broker has taken may still be on its way
            account = read_ledger(data / "ledger")
            missing = [one for one in account.forgotten if not archive.holds(account.kept[one])]
            # The archive was read before the ledger was, so a word that came in between is looked up again.
            if missing:
                later = Archive(self._town.database)
                missing = [one for one in missing if not later.holds(account.kept[one])]
            self._toll.findings.lost |= {f"{name} forgot {account.kept[one]}" for one in missing}

    def _over(self) -> frozenset[str]:
        wall = wall_now()
        return frozenset(digest for digest, ends in self._ends.items() if ends < wall)

    async def _load(self) -> None:
        """Signs and sends until it is cancelled."""
        while True:
            with suppress(RuntimeError):  # a controller that is just starting may refuse what it will take later
                await self._send(schedule=self._signer.random() < 0.5 and not self._probing)
            await asyncio.sleep(self._signer.uniform(0, 2 * _LOAD_S))

    async def _send(self, *, schedule: bool) -> Envelope | None:
        """One document; gives it when the controller has acknowledged it."""
        async with self._signing:
            envelopes = self._next_schedule() if schedule else self._next_emergency()
            if not await self._town.hand_in(*envelopes):
                return None
            self._acknowledged += [one.digest for one in envelopes]
            return envelopes[0]

    def _next_schedule(self) -> tuple[Envelope, ...]:
        office, wall = self._town.office, wall_now()
        item = office.item(self._media, WallMs(wall + 1500), WallMs(wall + 4000))
        envelope = office.schedule(item)
        self._count += 1
        self._versions[envelope.digest] = ("schedule", self._count)
        return (envelope,)

    def _next_emergency(self) -> tuple[Envelope, ...]:
        ends, envelopes = wall_now() + _EMERGENCY_MS, self._town.office.emergency(life_ms=_EMERGENCY_MS)
        self._ends |= {one.digest: ends for one in envelopes}
        return envelopes

    async def _probe(self, began_s: float) -> float:
        """Milliseconds until a new schedule has gone all the way, down to each device and its receipt up again.

        Meanwhile no other one takes its place; emergencies go on, but may be over before somebody is back.
        """
        self._probing = True
        async with asyncio.timeout(_RECOVERED_S_MAX):
            sent = None
            while sent is None:
                with suppress(RuntimeError):
                    sent = await self._send(schedule=True)
                await asyncio.sleep(_LOOK_S)
            await _until(lambda: self._heard_by_all(sent.digest))
        self._probing = False
        return (time.monotonic() - began_s) * 1000

    def _heard_by_all(self, digest: str) -> bool:
        """Raises ChildError: it never will be, since a process has ended by itself."""
        for one in self._town.victims().values():
            if one.returncode is not None:
                raise ChildError(f"{one.name} ended by itself:\n{one.last_lines()}")
        archive = Archive(self._town.database)
        return all(archive.has_heard(name, digest) for name in self._town.names)

    async def _settle(self) -> None:
        """With nobody killed any more, every report that was ever kept arrives."""
        try:
            async with asyncio.timeout(_SETTLED_S_MAX):
                await _until(lambda: not self._missing())
        except TimeoutError:
            self._toll.findings.lost |= {f"{one} never arrived" for one in self._missing()}
        await self._town.agents.kill()
        self._look(devices=True)
        accounts = [read_ledger(self._town.data_of(name) / "ledger") for name in self._town.names]
        words = len(self._acknowledged) + sum(len(one.received()) + len(one.forgotten) for one in accounts)
        self._toll.acknowledged += words
        self._toll.sent_again += sum(count > 1 for one in accounts for count in one.taken.values())

    def _missing(self) -> list[str]:
        archive = Archive(self._town.database)
        found = []
        for name in self._town.names:
            account = read_ledger(self._town.data_of(name) / "ledger")
            found += [f"{name}: {one}" for one in account.kept.values() if not archive.holds(one)]
        return found


async def _until(holds: Callable[[], bool]) -> None:
    """Looks again and again: other processes' files tell nobody when they change."""
    found = await asyncio.to_thread(holds)
    while not found:
        await asyncio.sleep(_LOOK_S)
        found = await asyncio.to_thread(holds)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        embedded: whether the broker is the one within the controller.
        believe_broker: whether devices forget a report at the broker's word, to see what that would lose.
    """

    rounds: int
    seed: int
    devices: int = 3
    embedded: bool = False
    believe_broker: bool = False


async def kill_rounds(directory: Path, plan: Plan, toll: Toll) -> None:
    """Runs a town in an empty directory and kills in it.

    Raises:
        ChildError, TimeoutError: a process did not come back; told in the toll as well.
    """
    words = (BELIEVE_BROKER,) if plan.believe_broker else ()
    async with open_kill_town(directory, devices=plan.devices, embedded=plan.embedded, agent_words=words) as town:
        killing = Killing(town, Random(plan.seed), toll, by_word=not plan.believe_broker)
        await killing.run(plan.rounds)
