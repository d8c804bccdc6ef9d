"""Puts an agent together: its identity, stores, links, sound path and the runner between them."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, Self

from edge.adapters.http_fetch import HttpFetcher
from edge.adapters.journal import Journal
from edge.adapters.media_store import DiskMediaStore
from edge.adapters.mqtt_link import Broker, MqttLink
from edge.adapters.notify import Notify
from edge.adapters.outbox import SqliteOutbox
from edge.adapters.part_events import PartEvents
from edge.adapters.state_store import BALLAST_BYTES, SqliteStateStore
from edge.adapters.stick_logs import StickLogs
from edge.adapters.system_clock import SystemClock
from edge.adapters.tls import SERVER_NAME, TlsError, client_context
from edge.adapters.usb_stick import StickFirstFetcher, UsbStick
from edge.believed_clock import BelievedClock
from edge.chip_keeper import keep_chip
from edge.clock_news import news_only
from edge.config import AGENT_VERSION, AgentConfig, ConfigError, pinned_anchor
from edge.core.agent import initial, step
from edge.core.events import Event
from edge.core.state import AgentState, Identity
from edge.data_directory import own_directory
from edge.disk import Disk
from edge.onlooker import Onlooker
from edge.ports import Audio, Board, Clock, Fetcher, MediaStore, Player, Voice
from edge.pump import Source, keep_going
from edge.reporter import Confirmations
from edge.root_watch import RootPlaces, RootWatch
from edge.runner import Ports, Runner
from edge.vital import Vital
from edge.watchdog import keep_watch

_MEDIA_CHECK_AFTER_S: Final = 120.0
_MEDIA_CHECK_EVERY_S: Final = 86_400.0
_MB: Final = 1024 * 1024
_log = logging.getLogger(__name__)


class SoundPath(Audio, Protocol):
    """A sound path that runs as a context and takes the signed times of the amplifier."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    def configure(self, *, lead_in_ms: int, hold_ms: int) -> None:
        """They count from the amplifier's next change."""
        ...


MakeAudio = Callable[[Clock, MediaStore], SoundPath]


async def run_agent(
    config: AgentConfig,
    board: Board,
    player: Player,
    *,
    voice: Voice | None = None,
    audio: MakeAudio | None = None,
    clock: Clock | None = None,
    observe: Callable[[AgentState], None] = lambda _: None,
    notify: Notify | None = None,
    disk: Disk | None = None,
) -> None:
    """Runs one agent until cancelled.

    Args:
        voice: speaks alerts; espeak-ng when none is given.
        audio: makes another sound path than the engine, such as one without samples for a large village.
        observe: told every new state; must be quick.
        notify: the service manager; the one that the environment names when none is given.
        disk: where thousands of agents share a process: how their disk work is done; they keep no ballast then.

    Raises:
        ConfigError: the agent cannot start as it is configured.
    """
    identity = Identity(config.device, config.place, pinned_anchor(config), AGENT_VERSION, config.heartbeat_ms)
    async with AsyncExitStack() as stack:
        card, clock = _card(config, stack, disk), clock or SystemClock()
        make, sound_clock = audio or _engine_maker(board, player, voice, card.disk.vital), BelievedClock(clock)
        sound = await stack.enter_async_context(make(sound_clock, card.media))
        watch = Onlooker(sound, board.lamps(), observe)
        ports = _ports(
            config,
            board,
            stack,
            card=card,
            clock=clock,
            sound_clock=sound_clock,
            sound=sound,
            known=watch.state,
        )
        _tend(stack, board, card.disk, data=card.data, agreed_ms=partial(watch.agreed_ms, clock), notify=notify)
        await Runner(step, initial(identity), device=config.device, ports=ports, observe=watch).run()


@dataclass(frozen=True, slots=True)
class _Card:
    """What lies on the device's card, and how it is reached."""

    data: Path
    disk: Disk
    media: DiskMediaStore
    state: SqliteStateStore


def _card(config: AgentConfig, stack: AsyncExitStack, shared: Disk | None) -> _Card:
    data = stack.enter_context(own_directory(Path(config.data)))
    media = DiskMediaStore(data / "media", reserve_bytes=config.media_reserve_mb * _MB)
    state = SqliteStateStore(data, ballast_bytes=BALLAST_BYTES if shared is None else 0)
    return _Card(data, shared or _disk(stack), media, state)


def _ports(
    config: AgentConfig,
    board: Board,
    stack: AsyncExitStack,
    *,
    card: _Card,
    clock: Clock,
    sound_clock: BelievedClock,
    sound: SoundPath,
    known: Callable[[], AgentState | None],
) -> Ports:
    data, disk, outbox = card.data, card.disk, SqliteOutbox(card.data / "outbox.db")
    stack.push_async_callback(disk.run, card.state.close)
    stack.push_async_callback(disk.run, outbox.close)
    journal, confirmations = Journal(data / "journal", disk=disk), Confirmations()
    fetcher, sticks = _fetcher(config, stack, StickLogs(data, clock, state=known, flush=journal.flush))
    return Ports(
        clock=clock,
        sound_clock=sound_clock,
        link=MqttLink(_broker(config), config.place, confirmed=confirmations.tell),
        fetcher=fetcher,
        media=card.media,
        state=card.state,
        outbox=outbox,
        confirmations=confirmations,
        audio=sound,
        tuner=board.tuner(),
        journal=journal,
        disk=disk,
        sources={
            **_sources(config, board, media=card.media, clock=clock),
            **sticks,
            **_root(config, data, clocks=(clock, sound_clock)),
        },
        guardian=board.guardian(),
        vital=disk.vital,
    )


def _tend(
    stack: AsyncExitStack,
    board: Board,
    disk: Disk,
    *,
    data: Path,
    agreed_ms: Callable[[], int | None],
    notify: Notify | None,
) -> None:
    """What runs beside the runner until the stack ends: the proof of life, and the clock chip."""
    _start(stack, _keep_watch(disk, board, data=data, agreed_ms=agreed_ms, notify=notify), name="watchdogs")
    chip = board.clock_chip()
    if chip is not None:
        _start(stack, keep_going("clock chip", partial(keep_chip, chip, agreed_ms)), name="clock chip")


async def _keep_watch(
    disk: Disk,
    board: Board,
    *,
    data: Path,
    agreed_ms: Callable[[], int | None],
    notify: Notify | None,
) -> None:
    """Feeds the watchdogs; for ever, like all the agent does."""
    notify = notify or Notify.from_environment()
    guardian = board.guardian()
    if guardian is None and notify.watchdog_s is None:
        return

    def touch() -> None:
        with (data / "touched").open("wb") as file:
            file.write(b"\n")
            os.fsync(file.fileno())

    work = partial(keep_watch, disk.vital, disk, guardian, wall_ms=agreed_ms, notify=notify, touch=touch)
    await keep_going("watchdogs", work)


def _start(stack: AsyncExitStack, work: Coroutine[Any, Any, None], *, name: str) -> None:
    """Runs beside everything else, and ends with the stack."""
    task = asyncio.create_task(work, name=name)

    async def end() -> None:
        task.cancel()
        await asyncio.wait([task])

    stack.push_async_callback(end)


def _disk(stack: AsyncExitStack) -> Disk:
    executor = ThreadPoolExecutor(1, "disk")
    stack.callback(executor.shutdown, wait=False)
    return Disk(executor, vital=Vital(asyncio.get_running_loop().time))


def _tls(config: AgentConfig) -> ssl.SSLContext | None:
    if not config.ca:
        return None
    try:
        return client_context(Path(config.ca), certificate=Path(config.certificate), key=Path(config.key))
    except TlsError as error:
        raise ConfigError(str(error)) from error


def _broker(config: AgentConfig) -> Broker:
    return Broker(
        config.mqtt_host,
        config.mqtt_port,
        config.device,
        config.token,
        keepalive_s=config.keepalive_s,
        tls=_tls(config),
    )


def _fetcher(config: AgentConfig, stack: AsyncExitStack, logs: StickLogs) -> tuple[Fetcher, Mapping[str, Source]]:
    network = HttpFetcher(config.controller_url, token=config.token, place=config.place, tls=_tls(config))
    stack.push_async_callback(network.close)
    if not config.usb:
        return network, {}
    stick = UsbStick(Path(config.usb), logs=logs)
    return StickFirstFetcher(stick, network), {"stick": stick.events}


def _sources(config: AgentConfig, board: Board, *, media: DiskMediaStore, clock: Clock) -> dict[str, Source]:
    sources: dict[str, Source] = {
        "panel": board.panel().events,
        "clocks": partial(news_only, board.clock_sources().events, clock),
        "parts": PartEvents(board.watch()).events,
        "media": lambda: _checked(media),
    }
    if config.system_clock:
        from edge.adapters.clock_sources import SystemClockSources

        sources["system clock"] = partial(news_only, SystemClockSources(clock).events, clock)
    return sources


def _root(config: AgentConfig, data: Path, *, clocks: tuple[Clock, ...]) -> dict[str, Source]:
    if not config.root:
        return {}
    tls: tuple[str, ...] = ()
    if config.ca:
        tls = ("--ca-file", config.ca, "--client-cert", config.certificate, "--client-key", config.key)
        tls += ("--server-name", SERVER_NAME, "--any-date")
    places = RootPlaces(
        enrolled=Path(config.root),
        data=data / "root",
        url=f"{config.controller_url.rstrip('/')}/root",
        tls=tls,
        usb=Path(config.usb) if config.usb else None,
    )
    return {"root": RootWatch(places, clocks).events}


async def _checked(media: DiskMediaStore) -> AsyncIterator[Event]:
    """Looks for rotten media some time after the start, when nothing else is waiting for the disk, and once a day."""
    await asyncio.sleep(_MEDIA_CHECK_AFTER_S)
    while True:
        async for event in media.check():
            yield event
        await asyncio.sleep(_MEDIA_CHECK_EVERY_S)


def _engine_maker(board: Board, player: Player, voice: Voice | None, vital: Vital) -> MakeAudio:
    from edge.adapters.espeak_voice import EspeakVoice
    from edge.audio.engine import Engine

    def make(clock: Clock, media: MediaStore) -> SoundPath:
        return Engine.on(board, clock=clock, player=player, store=media, voice=voice or EspeakVoice(), vital=vital)

    return make
