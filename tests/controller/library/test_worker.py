"""The worker process: it tells how far it is, can be ended, and takes nobody with it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import psutil
import pytest

from controller.library.refusal import Reason, SoundRefusedError
from controller.library.worker import Workers
from tests.controller.library import material

pytestmark = pytest.mark.slow


class Told:
    """Collects progress, and lets a test wait for a stage."""

    def __init__(self, waited: str = "") -> None:
        self.stages: list[str] = []
        self.seconds = 0.0
        self.reached = asyncio.Event()
        self._waited = waited

    def __call__(self, stage: str, seconds: float) -> None:
        self.stages.append(stage)
        self.seconds = seconds
        if stage == self._waited:
            self.reached.set()


def workers_running() -> list[psutil.Process]:
    mine = psutil.Process().children(recursive=True)
    return [child for child in mine if "controller.library.worker" in " ".join(child.cmdline())]


async def test_worker_tells_its_stages(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.mp3", "mp3")
    told = Told()
    made = await Workers().process(source, tmp_path / "out.opus", owner="vn/92", progress=told)
    assert list(dict.fromkeys(told.stages)) == ["listening", "levelling", "checking"]
    assert made.size_bytes == (tmp_path / "out.opus").stat().st_size
    assert len(made.waveform) == 100


async def test_refusal_crosses_the_process(tmp_path: Path) -> None:
    (tmp_path / "in.mp3").write_text("xin chào")
    with pytest.raises(SoundRefusedError) as caught:
        await Workers().process(tmp_path / "in.mp3", tmp_path / "out.opus", owner="vn/92", progress=Told())
    assert caught.value.reason is Reason.NOT_AUDIO
    assert caught.value.values["looks_like"] == "text"


async def test_cancelled_worker_is_gone(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.wav", "wav", seconds=300, rate=8_000)
    told = Told("levelling")
    work = Workers().process(source, tmp_path / "out.opus", owner="vn/92", progress=told)
    task = asyncio.create_task(work)
    await told.reached.wait()
    assert len(workers_running()) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert workers_running() == []


async def test_crashed_worker_is_a_refusal(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.wav", "wav", seconds=300, rate=8_000)
    told = Told("levelling")
    task = asyncio.create_task(Workers().process(source, tmp_path / "o", owner="vn/92", progress=told))
    await told.reached.wait()
    workers_running()[0].send_signal(signal.SIGSEGV)
    with pytest.raises(SoundRefusedError) as caught:
        await task
    assert caught.value.reason is Reason.WORKER_LOST


async def test_worker_that_says_nothing_is_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.wav")
    with pytest.raises(SoundRefusedError) as caught:
        await Workers(silence_s_max=0.5).process(tmp_path / "in.wav", tmp_path / "o", owner="vn/92", progress=Told())
    assert caught.value.reason is Reason.WORKER_LOST
    assert workers_running() == []


async def test_only_some_work_at_once(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.wav", "wav", seconds=60, rate=8_000)
    workers = Workers(at_once=1)
    first, second = Told("levelling"), Told()
    tasks = [
        asyncio.create_task(workers.process(source, tmp_path / str(index), owner="vn/92", progress=told))
        for index, told in enumerate((first, second))
    ]
    await first.reached.wait()
    assert second.stages == ["waiting"]
    assert len(workers_running()) == 1
    await asyncio.gather(*tasks)
    assert second.stages[-1] == "checking"


def test_worker_ends_when_nobody_listens(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.wav", "wav", seconds=300, rate=8_000)
    command = [sys.executable, "-m", "controller.library.worker", str(source), str(tmp_path / "out.opus"), "vn/92"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.stdout.close()  # as when the controller was killed
        child.wait(timeout=20)
    assert child.returncode == 0


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    source = material.make(tmp_path / "in.wav", "wav", seconds=30, rate=8_000)
    _repeat(source, tmp_path / "long.wav", times=16)
    short_bytes = _peak_memory(source, tmp_path / "short.opus")
    long_bytes = _peak_memory(tmp_path / "long.wav", tmp_path / "long.opus")
    assert 0 < long_bytes < 200 * 1024 * 1024
    assert long_bytes - short_bytes < 16 * 1024 * 1024  # eight minutes of samples alone are 90 MB


def _peak_memory(source: Path, target: Path) -> int:
    peak_bytes = 0
    command = [sys.executable, "-m", "controller.library.worker", str(source), str(target), "vn/92"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for _ in child.stdout:
            peak_bytes = max(peak_bytes, psutil.Process(child.pid).memory_info().rss)
    return peak_bytes


def _repeat(source: Path, target: Path, *, times: int) -> None:
    with wave.open(str(source)) as one, wave.open(str(target), "wb") as out:
        out.setparams(one.getparams())
        sound = one.readframes(one.getnframes())
        for _ in range(times):
            out.writeframes(sound)
