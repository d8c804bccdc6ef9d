"""Figure `failover`: a web radio that is being relayed dies, and FM stands in; how long is nothing heard?

The real agent, core and engine, with the real player (libVLC in a child) over real HTTP on loopback; documents are
signed and come by a stick. The station is a process: it dies by close (it is killed, its connections end) and by
silence (SIGSTOP: its connections stay and nothing comes). Judged between two seconds before the death and the time by
which any hand-over is over.

- `gap_p50_ms`, `gap_p95_ms`: the longest stretch below -50 dBFS of a round in the rendered samples, to 10 ms.
- `blips`: clicks and further silences in all rounds together. `close_...` and `silence_...`: the kinds apart.
- `heard_...`: the same as a horn heard it behind a card with a tenth of a second in its buffer, in real time. There a
  machine that is too busy to render in time is heard, too; `underruns` counts how often. What is measured runs at
  raised priority where that is allowed, as on a device it has the machine to itself.

With `--peers` the same is done to liquidsoap's `fallback`, see `failover_peers`; it is judged in real time, since it
stops rendering while it waits, so `ratio_...` compares it with `heard_...`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from edge.app import run_agent
from edge.config import AgentConfig
from edge.core.output import FmOutput, StreamOutput
from edge.core.state import AgentState
from hardware.vlc_player import VlcPlayer
from protocol import codec
from protocol.audible_config import AudibleConfig, Fallback, Station, Window
from protocol.bulletin import BulletinClass, Explicit
from protocol.clock import DAY_MS, DAY_S, WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.grants import Anchor, Grant
from protocol.keys import SigningKey
from protocol.parcel import pack_parcel
from protocol.schedule import Item, Schedule
from protocol.stick import BUNDLE
from protocol.stream import StreamRelay
from protocol.verbs import Verb
from simulators.bench import told
from simulators.bench.foremost import go_first
from simulators.bench.handover_figures import Handover, figures, judge
from simulators.bench.little_controller import COMMUNE, PLACE, PROVINCE, wall_now
from simulators.board import SimBoard
from simulators.child import free_ports
from simulators.fm_station import SimEther, SimStation
from simulators.horn import SimHorn
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from simulators.sound_card import SimSoundCard

KINDS: Final = ("close", "silence")
ROUNDS: Final = 10
_LANES: Final = 2
_FM_KHZ: Final = 99_900
_RELAY_MS: Final = 3_600_000
_BEFORE_MS: Final = 2000
_AFTER_S: Final = 10.0
_CALM_S: Final = 5.0
_PATIENCE_S: Final = 60.0
_DEAD_PORT: Final = 9
_KEPT_FRAMES: Final = 2000


@asynccontextmanager
async def station(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A station that can be sent signals; it is gone at the end, also when it was held up."""
    module = ("-m", "simulators.bench.failover_station", *arguments)
    process = await asyncio.create_subprocess_exec(sys.executable, *module, stdin=asyncio.subprocess.DEVNULL)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class _TappedCard(SimSoundCard):
    """Keeps what is rendered, in its order, beside what is heard."""

    def __init__(self, clock: LoopClock, horn: SimHorn) -> None:
        super().__init__(clock, horn)
        self.frames: deque[tuple[float, bytes]] = deque(maxlen=_KEPT_FRAMES)

    async def write(self, frame: bytes) -> None:
        """See `edge.ports.SoundCard`."""
        self.frames.append((time.time() * 1000, frame))
        await super().write(frame)

    def rendered(self, begin_ms: float) -> bytes:
        """What was rendered since a wall time."""
        return b"".join(frame for at_ms, frame in self.frames if at_ms >= begin_ms)


@dataclass(frozen=True, slots=True)
class _Round:
    kind: str
    rendered: Handover
    heard: Handover
    underruns: int


class _Lane:
    """One agent and its station."""

    def __init__(self, folder: Path) -> None:
        (self._port,) = free_ports(1)
        self._folder = folder
        self._changed = asyncio.Condition()
        self._state: AgentState | None = None
        self._stick = folder / "stick"
        self._stick.mkdir(parents=True)

    async def run(self, kinds: list[str]) -> list[_Round]:
        """Lets the station die so often, in these ways."""
        rounds = []
        async with self._agent() as board:
            for kind in kinds:
                rounds.append(await self._round(board, kind))
        return rounds

    async def _round(self, board: SimBoard, kind: str) -> _Round:
        card = board.sound_card
        assert isinstance(card, _TappedCard), "this board's"
        async with station(str(self._port)) as process:
            await self._sounds(StreamOutput)
            await asyncio.sleep(_CALM_S)
            died_ms, underruns = wall_now(), card.underruns
            process.send_signal(signal.SIGKILL if kind == "close" else signal.SIGSTOP)
            await self._sounds(FmOutput)
            await asyncio.sleep(max(0.0, _AFTER_S - (wall_now() - died_ms) / 1000))
            rendered = judge(card.rendered(died_ms - _BEFORE_MS))
            heard = judge(board.horn.heard(died_ms - _BEFORE_MS, died_ms + _AFTER_S * 1000 - 500).samples)
            return _Round(kind, rendered, heard, card.underruns - underruns)

    async def _sounds(self, kind: type[StreamOutput | FmOutput]) -> None:
        """Returns when such an output has begun."""

        def holds() -> bool:
            sound = None if self._state is None else self._state.sound
            return sound is not None and isinstance(sound.output, kind) and sound.started == sound.output.key

        async with asyncio.timeout(_PATIENCE_S), self._changed:
            await self._changed.wait_for(holds)

    def _observe(self, state: AgentState) -> None:
        self._state = state
        asyncio.get_running_loop().create_task(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    @asynccontextmanager
    async def _agent(self) -> AsyncIterator[SimBoard]:
        key = SigningKey.generate()
        anchor = self._folder / "anchor.json"
        anchor.write_bytes(codec.encode(Anchor(PROVINCE, (key.public,), 1, (key.public,))))
        (self._stick / BUNDLE).write_bytes(_documents(key, self._port))
        config = AgentConfig(
            device="bench-failover",
            place=PLACE,
            controller_url=f"http://127.0.0.1:{_DEAD_PORT}",
            mqtt_host="127.0.0.1",
            mqtt_port=_DEAD_PORT,
            token="bench",  # noqa: S106
            anchor=str(anchor),
            data=str(self._folder / "data"),
            media_reserve_mb=0,
            system_clock=False,
            usb=str(self._stick),
        )
        clock = LoopClock()
        board = SimBoard(clock, ether=SimEther(SimStation(_FM_KHZ, melody(3, duration_ms=60_000))))
        board.sound_card = _TappedCard(clock, board.horn)
        agent = asyncio.create_task(run_agent(config, board, VlcPlayer(), clock=clock, observe=self._observe))
        try:
            yield board
        finally:
            agent.cancel()
            await asyncio.wait([agent])


def _documents(key: SigningKey, port: int) -> bytes:
    """A relay that has begun, FM as what stands in, and no quiet hour."""
    wall = wall_now()
    verbs, yesterday, tomorrow = (Verb.SCHEDULE, Verb.CONFIGURE), WallMs(wall - DAY_MS), WallMs(wall + DAY_MS)
    grant = Grant(
        scope=COMMUNE,
        holder="commune",
        verbs=verbs,
        keys=(key.public,),
        threshold=1,
        depth=0,
        not_before=yesterday,
        expires=tomorrow,
        epoch=0,
        serial=1,
        parent="anchor",
    )
    config = AudibleConfig(
        COMMUNE,
        1,
        wall,
        fm_stations=(Station(_FM_KHZ, "FM"),),
        fm_windows=(Window(0, DAY_S),),
        fallback=Fallback.FM,
        fm_session_ms_max=_RELAY_MS,
    )
    relay = StreamRelay(f"http://127.0.0.1:{port}/radio.mp3", _RELAY_MS)
    item = Item("relay", "Relay", BulletinClass.ORDINARY, relay, Explicit((WallMs(wall - 5000),)), (COMMUNE,))
    schedule = Schedule(COMMUNE, 1, wall, tomorrow, (item,))
    documents = ((Kind.GRANT, grant), (Kind.AUDIBLE_CONFIG, config), (Kind.SCHEDULE, schedule))
    return pack_parcel(COMMUNE, tuple(sign(kind, codec.encode(document), (key,)) for kind, document in documents))


def _run_lane(folder: Path, kinds: list[str]) -> list[_Round]:
    logging.basicConfig(level=logging.CRITICAL)
    go_first()
    return asyncio.run(_Lane(folder).run(kinds))


async def measure(*, rounds: int, folder: Path) -> dict[str, float]:
    """The figure of our agent."""
    kinds = [kind for _ in range(rounds) for kind in KINDS]
    loop = asyncio.get_running_loop()
    # Each agent has a process of its own, as it has in a village: one that is judged must not hold another one up.
    with ProcessPoolExecutor(_LANES, mp_context=get_context("spawn")) as pool:
        shares = [
            loop.run_in_executor(pool, _run_lane, folder / f"lane{index}", kinds[index::_LANES])
            for index in range(_LANES)
        ]
        found = [one for share in await asyncio.gather(*shares) for one in share]
    made = figures("", (one.rendered for one in found))
    for kind in KINDS:
        made |= figures(f"{kind}_", (one.rendered for one in found if one.kind == kind))
    made |= figures("heard_", (one.heard for one in found))
    return made | {"underruns": sum(one.underruns for one in found), "rounds": len(found)}


async def _measure_all(rounds: int, *, peers: bool) -> dict[str, float]:
    with _own_folder() as folder:
        ours = measure(rounds=rounds, folder=folder / "ours")
        if not peers:
            return await ours
        from simulators.bench.failover_peers import measure_liquidsoap

        # At the same time: what else the machine does disturbs both alike.
        made, theirs = await asyncio.gather(ours, measure_liquidsoap(rounds=rounds, folder=folder / "liquidsoap"))
        made |= theirs
        for peer in ("liquidsoap", "liquidsoap_tuned"):
            made[f"ratio_{peer}"] = told.ratio(made["heard_gap_p95_ms"], made[f"{peer}_gap_p95_ms"])
        return made


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Readable by others: Icecast gives root away."""
    with tempfile.TemporaryDirectory(prefix="failover-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def main(argv: list[str]) -> int:
    """Prints the figure."""
    parser = told.parser("failover", __doc__, peers="measure liquidsoap, fed by Icecast, in the same run")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="deaths of each kind, about 25 s each")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    lacking = _lacking() if options.peers else {}
    made = asyncio.run(_measure_all(options.rounds, peers=bool(told.present(lacking))))
    told.tell(made, as_json=options.json)
    return told.lack(lacking)


def _lacking() -> dict[str, list[str]]:
    from simulators.bench.failover_peers import missing

    return {"liquidsoap": missing()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
