"""Brings sound into the library: prepares it in a worker process, stores it by digest, writes it down.

Each preparation is a job of its own task: a browser that leaves does not stop it, and its page can ask how far it is.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.audit.log import note
from controller.library.domain import Media, Origin, Processed, Wanted, check_speech, suggested_title
from controller.library.job import Job, Stage
from controller.library.queries import add_media, find_media
from controller.library.refusal import Reason, SoundRefusedError
from controller.library.storage import DigestStorage
from controller.library.worker import Workers
from controller.ports import Clock
from controller.store.engine import writing
from hardware.espeak import Espeak, EspeakError

JOBS_WAITING_MAX: Final = 24
JOBS_WAITING_PER_ACCOUNT_MAX: Final = 6
_JOBS_KEPT_MAX: Final = 200
_JOB_KEPT_MS: Final = 3_600_000

logger = logging.getLogger(__name__)


class Library:
    """The library's work. One for each application; `app[LIBRARY]`."""

    def __init__(
        self, *, engine: AsyncEngine, storage: DigestStorage, workers: Workers, voice: Espeak, clock: Clock
    ) -> None:
        self.storage = storage
        self._engine = engine
        self._workers = workers
        self._voice = voice
        self._clock = clock
        self._jobs: dict[str, Job] = {}

    async def add_file(self, source: Path, wanted: Wanted) -> Media:
        """Prepares an uploaded file, which is not needed afterwards. Raises SoundRefusedError."""
        return await self.result(self.begin_file(source, wanted))

    async def speak(self, wanted: Wanted) -> Media:
        """Has a text spoken. Raises SoundRefusedError."""
        return await self.result(self.begin_speech(wanted))

    async def result(self, job: Job) -> Media:
        """Waits for a job; leaving meanwhile does not end it. Raises SoundRefusedError."""
        assert job.task is not None
        try:
            return await asyncio.shield(job.task)
        except asyncio.CancelledError:
            if job.refused is not None:
                raise job.refused from None
            raise

    def begin_file(self, source: Path, wanted: Wanted) -> Job:
        """The same as `add_file`, as a job; the file is taken over and removed when it is done.

        Raises:
            SoundRefusedError: too many are waiting.
        """
        self._check_room(wanted)
        taken = source.rename(source.with_suffix(".taken"))

        async def work(job: Job) -> Media:
            try:
                return await self._prepare(taken, job)
            finally:
                taken.unlink(missing_ok=True)

        return self._begin(wanted, work)

    def begin_speech(self, wanted: Wanted) -> Job:
        """The same as `speak`, as a job. Raises SoundRefusedError for a text that cannot be spoken."""
        check_speech(wanted.text or "", wanted.language or "")
        self._check_room(wanted)
        return self._begin(wanted, self._speak)

    def job(self, name: str, *, account: int) -> Job | None:
        """A job of this account."""
        job = self._jobs.get(name)
        return job if job is not None and job.wanted.account == account else None

    def give_up(self, job: Job) -> None:
        """Ends a job; nothing of it is kept."""
        if job.task is not None and not job.over:
            job.task.cancel()

    async def close(self) -> None:
        """Ends all jobs and waits until their processes are gone."""
        running = [job.task for job in self._jobs.values() if job.task is not None and not job.task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _check_room(self, wanted: Wanted) -> None:
        self._forget_old()
        waiting = [job for job in self._jobs.values() if not job.over]
        mine = [job for job in waiting if job.wanted.account == wanted.account]
        if len(waiting) >= JOBS_WAITING_MAX or len(mine) >= JOBS_WAITING_PER_ACCOUNT_MAX:
            raise SoundRefusedError(Reason.BUSY)

    def _begin(self, wanted: Wanted, work: Callable[[Job], Awaitable[Media]]) -> Job:
        job = Job(wanted=wanted, began=self._clock())
        self._jobs[job.id] = job
        job.task = asyncio.create_task(_run(job, work))
        job.task.add_done_callback(functools.partial(_seen, job))
        return job

    def _forget_old(self) -> None:
        over = [job for job in self._jobs.values() if job.over]
        too_many = len(over) - _JOBS_KEPT_MAX
        for index, job in enumerate(over):
            if index < too_many or self._clock() - job.began > _JOB_KEPT_MS:
                del self._jobs[job.id]

    async def _speak(self, job: Job) -> Media:
        job.tell(Stage.SPEAKING, 0)
        with self.storage.draft("wav") as path:
            await asyncio.to_thread(_write_speech, self._voice, job.wanted, path)
            return await self._prepare(path, job)

    async def _prepare(self, source: Path, job: Job) -> Media:
        with self.storage.draft("opus") as target:
            made = await self._workers.process(source, target, owner=job.wanted.unit, progress=job.tell)
            job.tell(Stage.STORING, 0)
            digest = await self.storage.adopt(target)
        return await self._write_down(digest, made, job.wanted)

    async def _write_down(self, digest: str, made: Processed, wanted: Wanted) -> Media:
        new = _media(digest, made, wanted, self._clock())
        async with writing(self._engine) as connection:
            if await add_media(connection, new):
                act = "library.speak" if new.origin is Origin.SPEECH else "library.upload"
                subject = f"{new.unit}#{digest}"
                await note(
                    connection, act, at=self._clock(), account=wanted.account, subject=subject, detail=new.title
                )
            stored = await find_media(connection, digest, scopes=(wanted.unit,))
        assert stored is not None
        return stored


LIBRARY: web.AppKey[Library] = web.AppKey("library", Library)


def _media(digest: str, made: Processed, wanted: Wanted, now: int) -> Media:
    return Media(
        digest=digest,
        unit=wanted.unit,
        title=suggested_title(wanted) or digest[:8],
        origin=wanted.origin,
        text=wanted.text,
        language=wanted.language,
        size_bytes=made.size_bytes,
        duration_ms=made.duration_ms,
        loudness_in_cdb=made.loudness_in_cdb,
        loudness_out_cdb=made.loudness_out_cdb,
        peak_out_cdb=made.peak_out_cdb,
        waveform=made.waveform,
        source_name=wanted.source_name,
        created_by=wanted.account,
        created_ms=now,
    )


def _write_speech(voice: Espeak, wanted: Wanted, path: Path) -> None:
    try:
        speech = voice.speak(wanted.text or "", wanted.language or "")
    except EspeakError as error:
        logger.warning("the voice failed: %s", error)
        raise SoundRefusedError(Reason.VOICE_LOST) from error
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(speech.rate)
        out.writeframes(speech.pcm)


async def _run(job: Job, work: Callable[[Job], Awaitable[Media]]) -> Media:
    try:
        media = await work(job)
    except SoundRefusedError as error:
        job.end(error)
        raise
    except asyncio.CancelledError:
        job.end(SoundRefusedError(Reason.CANCELLED))
        raise
    except OSError as error:
        refused = SoundRefusedError(Reason.DISK_FULL if is_full(error) else Reason.WORKER_LOST)
        logger.warning("a sound could not be stored", exc_info=True)
        job.end(refused)
        raise refused from error
    except Exception:
        job.end(SoundRefusedError(Reason.WORKER_LOST))
        raise
    job.end(media)
    return media


def is_full(error: OSError) -> bool:
    """Whether the disk or its quota is used up."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _seen(job: Job, task: asyncio.Task[Media]) -> None:
    if task.cancelled() and not job.over:  # given up before its first step
        job.end(SoundRefusedError(Reason.CANCELLED))
    # The job has the error; a task nobody awaits must not complain of it.
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, SoundRefusedError):
        logger.error("a sound could not be prepared", exc_info=error)
