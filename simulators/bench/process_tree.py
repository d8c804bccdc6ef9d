"""What a process and all its children need: memory as `ps` has it (RSS), and with what they share split (PSS)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import psutil

_SAMPLE_S: Final = 1.0
_MB: Final = 1024 * 1024

Figures = dict[str, float]


class ProcessTree:
    """A process and whatever it has started, also those that come and go while it is watched."""

    def __init__(self, root: int) -> None:
        self._root = psutil.Process(root)
        self._spent_s: dict[tuple[int, float], float] = {}

    def alive(self) -> list[psutil.Process]:
        """Those that live now, the root first."""
        with suppress(psutil.NoSuchProcess):
            return [self._root, *self._root.children(recursive=True)]
        return []

    def uses(self, library: str) -> bool:
        """Whether one of them has a library loaded."""
        for one in self.alive():
            with suppress(psutil.NoSuchProcess):
                if any(library in found.path for found in one.memory_maps()):
                    return True
        return False

    async def watch(self, window_s: float) -> Figures:
        """The highest memory and the mean processor time within a window.

        Returns:
            `rss_mb`, `pss_mb`, `cpu_percent` of one core, `threads` and `processes`.

        Raises:
            RuntimeError: the process has ended.
        """
        loop = asyncio.get_running_loop()
        before_s, began_s = self._spent(), loop.time()
        highest: Figures = {}
        while loop.time() - began_s < window_s:
            await asyncio.sleep(_SAMPLE_S)
            now = self._memory()
            if not now:
                raise RuntimeError("a process that is measured has ended")
            self._spent()
            highest = {name: max(value, highest.get(name, 0)) for name, value in now.items()}
        elapsed_s = loop.time() - began_s
        return highest | {"cpu_percent": round(100 * (self._spent() - before_s) / elapsed_s, 2)}

    def _memory(self) -> Figures:
        told: list[tuple[float, float, int]] = []
        for one in self.alive():
            with suppress(psutil.NoSuchProcess):
                memory = one.memory_full_info()
                told.append((memory.rss, memory.pss, one.num_threads()))
        if not told:
            return {}
        rss, pss, threads = (sum(one[place] for one in told) for place in range(3))
        return {
            "rss_mb": round(rss / _MB, 1),
            "pss_mb": round(pss / _MB, 1),
            "threads": threads,
            "processes": len(told),
        }

    def _spent(self) -> float:
        """Seconds of all of them so far; a child that has ended keeps what it was last seen with."""
        for one in self.alive():
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                self._spent_s[one.pid, one.create_time()] = times.user + times.system
        return sum(self._spent_s.values())
