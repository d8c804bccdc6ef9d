"""Breaks around the core: the runner, its hands, the way up, downloads, and how long is waited before a new try."""

from __future__ import annotations

from typing import Final

from simulators.world.mutants.mutant import Edit, Mutant


def _one(name: str, file: str, old: str, new: str, *, days: float = 1.0) -> Mutant:
    return Mutant(name, (Edit(f"edge/{file}.py", old, new),), days)


HANDS: Final = (
    _one(
        "effects come before the save",
        "hands",
        "        for effect in effects:\n            if isinstance(effect, PublishReport):",
        "        for effect in sorted(effects, key=lambda one: isinstance(one, SaveState)):\n"
        "            if isinstance(effect, PublishReport):",
        days=4.0,
    ),
    _one(
        "a failed save is passed over",
        "hands",
        "                failure = failure if must_save else None\n",
        "                failure = None\n",
        days=4.0,
    ),
    _one(
        "promises are told though nothing was kept",
        "hands",
        "if tell and not _is_promise(report)]",
        "if report]",
        days=4.0,
    ),
    _one(
        "nothing is ever saved",
        "hands",
        "            await self._disk.run(lambda: self._state.save(effect.registers, effect.put, effect.drop))\n",
        "            pass\n",
    ),
    _one(
        "media are not fetched",
        "hands",
        "                self._downloads.want(media, urgent=urgent)\n",
        "                pass\n",
    ),
    _one(
        "a moved device listens where it was",
        "hands",
        "                self._relocate(place)\n",
        "                pass\n",
        days=3.0,
    ),
    _one(
        "live sound is not passed on",
        "hands",
        "                        self._audio.feed_live(session_id, counter, packets)\n",
        "                        pass\n",
        days=3.0,
    ),
    _one(
        "a state that was not saved counts",
        "runner",
        "        if failure is None:\n            self._state = decision.state",
        "        self._state = decision.state\n        if failure is None:",
        days=4.0,
    ),
    _one(
        "a tick is lost and with it all others",
        "runner",
        "        if isinstance(event, Ticked):\n            self._wake.heard()\n",
        "",
    ),
    _one(
        "nobody is told that an event was decided",
        "inbox",
        "            self.decided.set_result(None)\n",
        "            pass\n",
    ),
    _one(
        "a source ends after one event",
        "pump",
        "            await feed(event)\n",
        "            return await feed(event)\n",
    ),
)

WAY_UP: Final = (
    _one(
        "letters are forgotten before they are stored",
        "reporter",
        "            self._awaited |= {one.id: report_mark(one.letter.payload) for one in kept}\n",
        "            self._awaited |= {one.id: report_mark(one.letter.payload) for one in kept}\n"
        "            await self._forget([one.id for one in kept])\n",
        days=3.0,
    ),
    _one(
        "letters are never forgotten",
        "reporter",
        "        await self._disk.run(lambda: self._outbox.delete(ids))\n",
        "        pass\n",
    ),
    _one(
        "letters are kept in memory only",
        "reporter",
        "            await self._disk.run(lambda: self._outbox.append(letters))\n",
        "            self._unstored.extend(letters)\n",
        days=3.0,
    ),
    _one(
        "what was not stored is never sent again",
        "reporter",
        "    def _send_again(self) -> None:\n        if self._awaited:",
        "    def _send_again(self) -> None:\n        if False:",
        days=4.0,
    ),
    _one(
        "after a failure nothing is sent any more",
        "reporter",
        "                self._letters_wait.set()\n                await asyncio.sleep(backoff.next_s())",
        "                await asyncio.sleep(backoff.next_s())",
        days=4.0,
    ),
    _one(
        "a link that came back goes unnoticed",
        "reporter",
        "            self._up.set()\n        else:",
        "            pass\n        else:",
    ),
    _one(
        "statuses are not sent",
        "reporter",
        "            try:\n                await self._link.publish(topic, payload)\n",
        "            try:\n                pass\n",
    ),
    _one(
        "a broken download is not tried again",
        "downloads",
        "wanted.due_s = _now_s() + wait_s",
        "wanted.due_s = 1e12",
        days=4.0,
    ),
    _one(
        "only the link's return helps a download",
        "downloads",
        "timeout = None if soonest is None else max(0.0, soonest - _now_s())",
        "timeout = None",
        days=4.0,
    ),
    _one(
        "waiting grows for ever",
        "backoff",
        "self._limit_s = min(limit_s * 2, self._high_s)",
        "self._limit_s = limit_s * 400",
        days=4.0,
    ),
    _one(
        "the controller's time is asked for once",
        "attester",
        "            self._asked.clear()\n",
        "            self._asked = asyncio.Event()\n            await asyncio.Event().wait()\n",
        days=4.0,
    ),
)

AGENT: Final = (*HANDS, *WAY_UP)
