"""An eventful day, written by hand: each rule of the horn is put to the test once, in a world of two communes.

Worlds of the seed find what nobody thought of; this day finds at once what somebody did think of. It is a plan like
any other, so what it shows can be played again and made shorter. The tests hold that nobody notices anything in it
about the agent as it is.
"""

from __future__ import annotations

from typing import Final

from simulators.world.database import Doom
from simulators.world.people import in_words
from simulators.world.plan import Happening, Plan, Shape

SEED: Final = 2
DEVICES: Final = 6
_A: Final = "vn/92/31000"
_B: Final = "vn/92/31001"
_PROVINCE: Final = "vn/92"
_DAYS: Final = 0.86
"""Until half past eight in the evening: the last two hours are calm."""
_EMPTIED: Final = in_words(act="empty")
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS


def _at(time: str) -> int:
    """Milliseconds since midnight of a time such as `08:30:05`."""
    hours, minutes, seconds = (int(one) for one in f"{time}:00:00".split(":")[:3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def _do(time: str, who: str, what: str, number: int = 0, words: str = "") -> Happening:
    return Happening(_at(time), who, what, number, words)


def _item(
    time: str,
    name: int,
    *,
    in_s: int,
    seconds: int,
    kind: str = "ordinary",
    content: str = "programme",
    target: str = "all",
    catch_up: str = "resume",
    who: str = _A,
) -> Happening:
    """Somebody adds an item to the first commune's schedule, or another unit's, to begin so many seconds later."""
    words = in_words(
        act="add",
        item=f"x{name}",
        pick=0,
        in_s=in_s,
        seconds=seconds,
        content=content,
        target=target,
        catch_up=catch_up,
        word="no",
        **{"class": kind},
    )
    return _do(time, who, "people.schedule", 0, words)


def _alert(
    time: str, name: str, minutes: float, *, kind: str = "alert", severity: int = 3, late_s: int = 0
) -> Happening:
    words = in_words(id=name, kind=kind, severity=severity, media="no", late_ms=late_s * 1000, wide="")
    return _do(time, _A, "people.alert", round(minutes * _MINUTE_MS), words)


def _live(time: str, *, gap_at: int, gap_s: int, kind: str = "ordinary") -> Happening:
    words = in_words(life_s=120, gap_at=gap_at, gap_s=gap_s, goodbye="yes", **{"class": kind})
    return _do(time, _A, "people.live", 60, words)


NIGHT: Final = (
    _item("00:20", 10, in_s=600, seconds=300),
    _do("00:10", _A, "people.rules", 1, "microphone"),
    _do("00:40", "d00000", "panel.talk", 15_000),
    _do("00:41", "d00001", "panel.talk", 15_000, "emergency"),
    _alert("00:45", "n1", 1),
    _alert("00:48", "n2", 1, kind="alert-drill"),
    _do("01:00", _A, "people.rules", 2, "microphone"),
    _do("01:05", "d00000", "panel.talk", 15_000),
    _do("04:40", _A, "people.rules", 600, "gain"),
    _do("04:45", _A, "people.rules", 150, "talk"),
)
RADIO: Final = (
    _do("05:14:30", "d00004", "radio.fade", 60_000, "db=28 how=steep"),
    _do("05:16:30", "d00000", "radio.fade", 60_000, "db=45 how=steep"),
    _do("05:16:30", "d00001", "radio.foreign", 90_000, "station=0 pi=other db=2"),
    _do("05:16:30", "d00002", "radio.tuner", 60_000),
    _do("05:16:30", "d00003", "radio.foreign", 90_000, "station=0 pi=none db=20"),
    _do("05:18", "d00005", "radio.fade", 60_000, "db=45 how=slow"),
    _do("05:20", "d00002", "radio.bus", 30_000),
    _do("05:20", "d00004", "radio.nameless", 60_000, "nameless"),
    _do("06:00", "d00003", "panel.stuck", 600_000),
    _item("06:55", 11, in_s=300, seconds=120, content="wrong_pi"),
    _do("07:05", _A, "people.rules", 0, "fallback"),
    _item("07:06", 12, in_s=240, seconds=180, content="missing"),
    _do("07:20", _A, "people.rules", 1, "fallback"),
    _item("07:21", 13, in_s=240, seconds=180, content="missing"),
)
KEYS: Final = (
    _do("07:30", _A, "people.renew", 0, "new"),
    *(_do(f"07:3{one}", _A, "people.former_key", 0, path) for one, path in enumerate(("doc", "alert", "poll"), 1)),
    _do("07:36", _A, "people.early", 20_000),
)
MORNING: Final = (
    _item("07:55", 20, in_s=300, seconds=600),
    _item("07:56", 21, in_s=420, seconds=120, kind="priority"),
    _do("08:00:30", "d00002", "audio.break_off"),
    _do("08:01", "d00000", "panel.talk", 20_000),
    _do("08:06", "d00001", "panel.talk", 20_000, "emergency"),
    _do("08:07", _A, "people.stop", 60_000, "all"),
    _alert("08:07:20", "m1", 0.4),
    _alert("08:30", "m2", 5, severity=2),
    _do("08:30:30", "d00002", "audio.break_off"),
    _do("08:31", "d00000", "panel.talk", 30_000),
    _do("08:31", "d00001", "panel.talk", 20_000, "emergency"),
    _alert("08:32", "m3", 2, severity=4),
    _do("08:32:30", _A, "people.cancel", 0, "m2"),
    _alert("08:50", "m4", 5, late_s=30),
    _do("08:50:10", _A, "people.cancel", 0, "m4"),
    _item("08:55", 30, in_s=300, seconds=600),
    _do("09:01", _A, "people.stop", 30_000, "d00002"),
    _do("09:02", "d00000", "panel.press", 0, "stop"),
    _do("09:02", "d00002", "power.cut", 5000),
    _do("09:03", "d00000", "power.cut", 5000),
    _item("09:04", 31, in_s=420, seconds=900),
    _do("09:04", _A, "people.stop", 20 * _MINUTE_MS, "d00001"),
    _do("09:06", "d00001", "power.cut", 5000),
    _do("09:09:59", "controller", "controller.crash", 30_000, Doom.BEFORE_COMMIT.value),
    _do("09:15", _A, "people.astray", 3 * _MINUTE_MS, "d00001"),
    _do("09:28", "d00002", "panel.press", 0, "message_1"),
    _do("09:50", "d00003", "network.cut", 5 * _MINUTE_MS),
    _alert("09:40", "m5", 25),
    _do("09:51", "d00003", "power.cut", 8000),
    _do("09:55:30", _A, "people.cancel", 0, "m5"),
    _do("09:56", "d00002", "power.cut", 5000),
    _do("09:57", _A, "attack.again", 0, "path=alert what=m5"),
    _do("09:58", "d00004", "panel.press", 0, "stop"),
    _do("09:58:03", "d00004", "power.cut", 5000),
    _item("09:59", 45, in_s=240, seconds=180, target="d00004"),
)
CATCHING_UP: Final = (
    _item("10:05", 40, in_s=300, seconds=600, target="d00000"),
    _item("10:05:10", 41, in_s=290, seconds=600, target="d00001", catch_up="restart"),
    _item("10:05:20", 42, in_s=280, seconds=600, target="d00002", catch_up="skip"),
    *(_do("10:13", f"d0000{one}", "power.cut", 20_000) for one in range(3)),
    _item("10:25", 43, in_s=-60, seconds=300, target="d00003"),
    _item("10:25:10", 44, in_s=-60, seconds=300, target="d00004", catch_up="skip"),
    _do("10:31", _A, "people.stolen_key", _MINUTE_MS, "doc"),
    _alert("10:31:20", "t1", 5),
    _do("10:40", "d00004", "power.cut", 5000),
    _do("10:50", _A, "people.twice", 0, "alert"),
    _do("10:54", _A, "people.twice", 0, "schedule"),
    _item("11:25", 50, in_s=300, seconds=180, content="stream"),
    _do("11:31", "air", "audio.stream", 20_000, "stalled"),
    _do("11:31:40", "air", "audio.stream", 5_000, "dead"),
    _do("11:32:20", "controller", "controller.crash", 5 * _MINUTE_MS, "now"),
    _do("11:35", "broker", "broker.restart", 20_000, "nothing"),
)
CLOCKS: Final = (
    *(_do("11:45", f"d0000{one}", "clock.servers", 2 * _HOUR_MS, "away") for one in (1, 2)),
    _do("11:46", "d00001", "clock.chip", 2 * _HOUR_MS, "dead"),
    _do("11:46", "d00002", "network.cut", 90 * _MINUTE_MS),
    _do("11:46", "d00003", "clock.chip_set", 2 * _HOUR_MS, str(_HOUR_MS + 29 * _MINUTE_MS)),
    _do("11:46", "d00003", "network.cut", 90 * _MINUTE_MS),
    _do("11:46", "d00004", "clock.wall", 2 * _HOUR_MS, str(-_HOUR_MS - 13 * _MINUTE_MS)),
    *(_do("11:50", f"d0000{one}", "power.cut", 9000) for one in (1, 2, 3)),
    _item("12:00", 60, in_s=300, seconds=600),
    _do("13:40", "everywhere", "attack.old_answer", 20 * _MINUTE_MS),
    _do("13:38", "d00001", "clock.servers", 25 * _MINUTE_MS, "away"),
    _do("13:38", "d00001", "clock.chip", 25 * _MINUTE_MS, "dead"),
    _do("13:41", "d00001", "power.cut", 9000),
    _do("14:28", "d00001", "clock.servers", 10 * _MINUTE_MS, "away"),
    _do("14:28", "d00001", "clock.chip", 10 * _MINUTE_MS, "dead"),
    _do("14:29", "d00001", "network.bad", 8 * _MINUTE_MS, "5000 0"),
    _do("14:30", "d00001", "power.cut", 9000),
)
RULES: Final = (
    _do("12:45", _A, "people.rules", 0, "head_age"),
    _do("12:47", _A, "people.rules", 0, "fallback"),
    _do("12:50", "d00000", "network.cut", 5 * _HOUR_MS + 28 * _MINUTE_MS),
    _item("13:00", 61, in_s=300, seconds=60, who=_PROVINCE),
    _do("13:08", _PROVINCE, "people.rules_above"),
    _item("13:10", 62, in_s=300, seconds=60),
    _item("13:24", 63, in_s=240, seconds=600),
    _do("13:25", _A, "people.rules", 300, "quiet"),
    _do("13:37", _A, "people.rules", 0, "loud"),
)
SPEECH: Final = (
    _live("14:10", gap_at=20, gap_s=3),
    _live("14:13", gap_at=10, gap_s=15),
    _do("14:13:12", _A, "attack.live", 0, "forged"),
    _live("14:16", gap_at=10, gap_s=15, kind="priority"),
    _do("14:16:12", _A, "attack.live", 0, "replayed"),
    _live("14:20", gap_at=4, gap_s=3),
)
PARTS: Final = (
    _item("14:55", 70, in_s=300, seconds=600),
    _do("15:01", "d00000", "audio.card", 2 * _MINUTE_MS),
    _do("15:01", "d00001", "audio.amplifier", _MINUTE_MS),
    _do("15:01", "d00003", "storage.broken", 4 * _MINUTE_MS + 10_000),
    _do("15:01", "d00004", "storage.full", 5 * _MINUTE_MS),
    _alert("15:02", "p1", 1.5),
    _do("15:20", "d00002", "audio.crackle", _MINUTE_MS, "obeys"),
    _do("15:04:20", "d00002", "storage.broken", 40_000),
    _alert("15:04:30", "p2", 10),
    *(_do("15:05:20", name, "power.cut", 5000) for name in ("d00003", "d00004")),
    _do("15:24", "d00004", "power.saving", 5000, "after"),
    _do("15:24:50", "controller", "attack.media", 3 * _MINUTE_MS, "short"),
    _item("15:25", 71, in_s=300, seconds=60),
    _do("15:35", _B, "people.schedule", 0, _EMPTIED),
)
OFFICES: Final = (
    _item("15:44", 80, in_s=720, seconds=180),
    _do("15:45", _A, "people.short_schedule", 12 * _MINUTE_MS),
    *(
        _do(f"16:0{one}", _A, "attack.forged", 0, in_words(way=way, kind="schedule", path="doc"))
        for one, way in enumerate(("stranger", "neighbour", "clerk", "half", "named", "altered"))
    ),
    *(
        _do(f"16:1{one}", _A, "attack.forged", 0, in_words(way=way, kind="alert", path="alert"))
        for one, way in enumerate(("stranger", "neighbour", "clerk", "half", "named", "retyped"))
    ),
    _do("16:16", _A, "attack.above", 0, "alert"),
    _do("16:17", _A, "people.false_date", _HOUR_MS, "alert"),
    _do("16:18", _A, "people.false_date", -70 * 24 * _HOUR_MS, "schedule"),
    _do("16:19", "d00003", "people.stick", 0, "alert"),
    _do("16:30", "d00004", "people.move", 0, "to=31001 who=one"),
    _do("16:32", "d00004", "power.cut", 5000),
    _do("16:34", "d00004", "people.move", 0, "to=31000 who=one"),
    _do("16:36", _A, "attack.again", 0, "path=doc what=assignment"),
    *(_do(f"16:{minute}", _A, "attack.replayed", 7 * minute, "doc") for minute in range(40, 50)),
)
EVENING: Final = (
    _do("16:49", "d00004", "clock.servers", 20 * _MINUTE_MS, "away"),
    _do("16:50", "controller", "attack.clock", 13 * _MINUTE_MS, str(-24 * _HOUR_MS)),
    _do("16:51", "d00004", "power.cut", 9000),
    _do("16:55", "d00000", "attack.head_on_stick"),
    _do("16:56", "d00005", "people.move", 0, "to=31000 who=one"),
    _item("16:57", 90, in_s=4140, seconds=120),
    _do("18:08", "controller", "controller.crash", 30_000, Doom.BEFORE_COMMIT.value),
    _do("18:16", "controller", "attack.media", 3 * _MINUTE_MS, "short"),
    _item("18:17", 91, in_s=900, seconds=120, target="d00004"),
    _item("18:17:10", 92, in_s=470, seconds=120, target="d00003"),
    _do("18:26:59", "d00003", "network.half_open", 3 * _MINUTE_MS),
)
ALL: Final = (
    *NIGHT,
    *RADIO,
    *KEYS,
    *MORNING,
    *CATCHING_UP,
    *CLOCKS,
    *RULES,
    *SPEECH,
    *PARTS,
    *OFFICES,
    *EVENING,
)


def exercise() -> Plan:
    """The whole day."""
    return Plan(Shape(SEED, DEVICES, _DAYS), tuple(sorted(ALL, key=lambda one: (one.at_ms, one.what, one.who))))
