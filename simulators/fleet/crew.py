"""The processes full of agents, seen from whoever drives them: their questions, their marks, their cost."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulators.fleet.town import Town

DEVICES_IN_PROCESS_MAX: Final = 1250
"""A process may hold 20,000 files here, and a device has a dozen."""
WORKERS_MIN: Final = 2
_LINE_BYTES_MAX: Final = 1 << 20
_END_S_MAX: Final = 60.0


class CrewError(Exception):
    """A process ended, or the fleet did not come to something in time; the message says how far it came."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Where agents find the others.

    Attributes:
        hosts: addresses of the broker.
    """

    controller: str
    hosts: Sequence[str]
    port: int


class Crew:
    """All processes; use `crew`."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process], count: int) -> None:
        self._processes, self.count = processes, count
        self._marks: dict[str, list[list[int]]] = defaultdict(list)
        self._letters: list[int] = []
        self._calm = 0
        self._came = asyncio.Condition()
        self._hearing = [asyncio.create_task(self._hear(process)) for process in processes]

    @property
    def pids(self) -> list[int]:
        """Of its processes."""
        return [process.pid for process in self._processes]

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None, "it was asked for a pipe"
        while line := await process.stdout.readline():
            said: dict[str, Any] = json.loads(line)
            async with self._came:
                if "letters" in said:
                    self._letters.append(said["letters"])
                elif "calm" in said:
                    self._calm += 1
                else:
                    self._marks[said["mark"]].append(said["at_ns"])
                self._came.notify_all()

    async def all_came(self, mark: str, *, within_s: float) -> list[int]:
        """The instants at which each device came to a mark, sorted.

        Raises:
            CrewError: not all came in time.
        """
        try:
            async with asyncio.timeout(within_s), self._came:
                await self._came.wait_for(lambda: len(self._marks[mark]) == len(self._processes) or self._ended())
        except TimeoutError:
            pass
        if self._ended():
            raise CrewError("a process of agents ended by itself")
        if len(self._marks[mark]) != len(self._processes):
            raise CrewError(f"after {within_s:.0f} s only {await self._so_far(mark)} of {self.count} came to {mark}")
        return sorted(at for share in self._marks.pop(mark) for at in share)

    def _ended(self) -> bool:
        return any(task.done() for task in self._hearing)

    async def _so_far(self, mark: str) -> int:
        self._marks[mark].clear()
        self._ask(mark)
        async with asyncio.timeout(_END_S_MAX), self._came:
            await self._came.wait_for(lambda: len(self._marks[mark]) == len(self._processes))
        return sum(len(share) for share in self._marks[mark])

    async def letters_waiting(self) -> int:
        """Reports in the outboxes of all devices."""
        self._letters.clear()
        self._ask("letters")
        async with asyncio.timeout(_END_S_MAX), self._came:
            await self._came.wait_for(lambda: len(self._letters) == len(self._processes))
        return sum(self._letters)

    async def calm(self) -> None:
        """What all agents hold by now is not looked through for garbage any more."""
        self._calm = 0
        self._ask("calm")
        async with asyncio.timeout(_END_S_MAX), self._came:
            await self._came.wait_for(lambda: self._calm == len(self._processes))

    def _ask(self, word: str) -> None:
        for process in self._processes:
            assert process.stdin is not None, "it was asked for a pipe"
            process.stdin.write(word.encode() + b"\n")

    async def end(self) -> None:
        """Closes their input, and ends whoever does not end then."""
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        await asyncio.gather(*(_ended(process) for process in self._processes))
        for task in self._hearing:
            task.cancel()
        await asyncio.gather(*self._hearing, return_exceptions=True)


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), _END_S_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def crew(count: int, lines: Lines, town: Town, data: Path, *arguments: str) -> AsyncIterator[Crew]:
    """Runs so many agents until the block ends.

    Args:
        data: where their stores are.
    """
    workers = min(count, max(WORKERS_MIN, -(-count // DEVICES_IN_PROCESS_MAX)))
    share, rest = divmod(count, workers)
    common = ["--communes", str(town.communes), "--anchor", str(town.anchor), "--data", str(data), *arguments]
    common += ["--controller", lines.controller, "--port", str(lines.port)]
    commands, first = [], 0
    for number in range(workers):
        own = share + (number < rest)
        host = lines.hosts[number % len(lines.hosts)]
        commands.append([*common, "--broker", host, "--first", str(first), "--count", str(own)])
        first += own
    async with crew_of("simulators.fleet.worker", commands, count) as found:
        yield found


@asynccontextmanager
async def crew_of(module: str, commands: Sequence[Sequence[str]], count: int) -> AsyncIterator[Crew]:
    """Processes that tell by marks, until the block ends.

    Args:
        commands: the arguments of each.
        count: how many there are in all of them.
    """
    pipe, processes = asyncio.subprocess.PIPE, list[asyncio.subprocess.Process]()
    found: Crew | None = None
    try:
        for arguments in commands:
            command = [sys.executable, "-m", module, *arguments]
            started = asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=_LINE_BYTES_MAX)
            processes.append(await started)
        found = Crew(processes, count)
        yield found
    finally:
        await (found or Crew(processes, count)).end()
