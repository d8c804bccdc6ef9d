"""The firmware as a board gets it: complete, compiled, small enough, and good for weeks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.guardian import message
from hardware.guardian.plan import Plan
from simulators.guardian_board import GuardianBoard, PinEdge, is_there
from simulators.guardian_clock_chip import ADDRESS, SimClockChip
from simulators.guardian_firmware import FOLDER, compiled, cross_compiled, manifest, sources
from simulators.guardian_node import AMPLIFIER, KEY, PAIRING, RELAY_FM, RELAY_SOUND
from simulators.rds_encoder import Programme
from simulators.si4703_chip import Si4703Chip
from tests.component import need
from tests.hardware.guardian.talker import Talker

pytestmark = pytest.mark.slow
WALL = 1_800_000_000_000
DAY = 24 * 3600 * 1000
RAM_BYTES_MAX = 150_000
"""The RP2040 leaves MicroPython about 190,000."""

COLLECT = "import gc; gc.collect()"
TELL = "print('RAM', gc.mem_alloc())"
LIVE = """
from hardware.guardian.loop import Control, Flash, Pico
board = Pico()
control = Control(board, Flash("/"), bus=board.bus, chip=board.chip, by_watchdog=False, now_ms=board.now_ms())
for _ in range(300):
    control.turn(board.now_ms())
    board.feed()
    board.sleep_ms(10)
"""
VERSION = b"import sys, time; print('MPY', sys.implementation._mpy & 0xFF); time.sleep_ms(100000)"


@pytest.fixture
def board() -> Iterator[GuardianBoard]:
    need(is_there(), "MicroPython for Node")
    board = GuardianBoard()
    board.flash["key"] = KEY
    yield board
    board.close()


def talker(board: GuardianBoard) -> Talker:
    def exchange(data: bytes) -> bytes:
        board.feed(data)
        board.run(board.now_ms + 500)
        return board.sent()

    return Talker(exchange)


def living(board: GuardianBoard) -> Talker:
    board.power(True)
    board.run(board.now_ms + 1500)
    computer = talker(board)
    assert computer.greet() is not None
    for _ in range(3):
        assert computer.beat(WALL + int(board.now_ms)) is not None
    return computer


def test_manifest_names_every_module() -> None:
    named = {Path(name).name for name in manifest().files if "guardian" in name} | {"main.py", "manifest.py"}
    assert named == {path.name for path in FOLDER.glob("*.py")}
    assert manifest().required == ["hmac"]
    assert all(path.exists() for path in manifest().files.values())


def test_every_file_compiles_for_the_board(tmp_path: Path) -> None:
    for path in manifest().files.values():
        assert cross_compiled(path, tmp_path / "out.mpy")[:2] == b"M\x06"


def test_bytecode_is_of_the_interpreters_version(board: GuardianBoard) -> None:
    board._files = {**sources(), "main.py": VERSION}
    board.power(True)
    board.run(1000)
    assert f"#MPY {compiled()['lib/hardware/guardian/guard.mpy'][1]}" in board.printed


def test_compiled_firmware_does_the_same() -> None:
    need(is_there(), "MicroPython for Node")
    board = GuardianBoard(files=compiled())
    board.flash["key"] = KEY
    try:
        living(board)
        assert board.levels[RELAY_SOUND] and not board.levels.get(RELAY_FM)
    finally:
        board.close()


def test_memory_is_enough() -> None:
    """What the firmware holds after three seconds of life, compiled, less what the model of the board needs."""
    need(is_there(), "MicroPython for Node")
    board = GuardianBoard(files={**compiled(), "main.py": COLLECT.encode()}, after=[TELL, LIVE, COLLECT, TELL])
    board.flash["key"] = KEY
    board.power(True)
    board.run(10_000)
    before, after = (int(line.split()[1]) for line in board.printed if "RAM" in line)
    assert after - before < RAM_BYTES_MAX
    print("RAM", after - before)


def test_fault_nobody_foresaw_drops_the_relays_and_starts_anew(board: GuardianBoard) -> None:
    breaking = b"""
from hardware.guardian.guard import Guard
def broken(self, now_ms):
    if now_ms > 8000 and boots() == 1:
        raise RuntimeError("nobody foresaw this")
    return turn(self, now_ms)
def boots():
    return len(open("/resets", "rb").read()) // 13
turn, Guard.turn = Guard.turn, broken
"""
    board._files = {**sources(), "main.py": breaking + sources()["main.py"]}
    living(board)
    board.run(12_000)
    assert board.ends == ["reset"]
    assert any("nobody foresaw this" in line for line in board.printed)
    assert not board.levels[RELAY_SOUND]
    state = talker(board).greet()
    assert state is not None and (state.boots, state.cause) == (2, message.SOFT)


def test_outputs_are_at_rest_from_the_first_instant(board: GuardianBoard) -> None:
    seen: list[PinEdge] = []
    board.listeners.append(seen.append)
    board.power(True)
    board.run(3000)
    assert not [edge for edge in seen if edge.pin in (RELAY_SOUND, RELAY_FM, AMPLIFIER)]


def test_key_is_taken_over_the_line_with_the_jumper(board: GuardianBoard) -> None:
    from hardware.guardian import wire

    other = bytes(range(32))
    board.set_input(PAIRING, False)
    board.power(True)
    board.run(1500)
    talker(board).raw(wire.greeting(message.PAIR, other, other))
    board.power(False)
    assert board.flash["key"] == other
    assert not any(other.hex() in line or str(other) in line for line in board.printed)


def air(khz: int) -> tuple[int, Programme | None]:
    return (50, Programme(0xA201)) if khz == 99_900 else (6, None)


def test_windows_of_eight_days_open_to_the_second(board: GuardianBoard) -> None:
    """Eight days without the computer: each window opens, nothing else does, and the ticks go round at the seam."""
    minute = 60_000
    chip = Si4703Chip(lambda: board.now_ms, air, lambda: True)
    chip.reset(True)
    board.bus.chips[0x10] = chip
    board.bus.chips[ADDRESS] = SimClockChip(lambda: board.now_ms, wall_ms=WALL + board.now_ms)
    fm: list[tuple[float, bool]] = []
    board.listeners.append(lambda edge: fm.append((edge.mono_ms, edge.level)) if edge.pin == RELAY_SOUND else None)
    begins = [day * DAY + 6 * 3_600_000 for day in range(8)]
    computer = living(board)
    state = computer.arm(Plan(1, [(WALL + at, WALL + at + minute) for at in begins], [(99_900, 0xA201)]))
    assert state is not None and state.result == message.DONE
    fm.clear()
    for at in begins:
        board.run(at - 5000, stretch_ms=4500)
        board.run(at + minute + 5000)
    opened = [round(mono) for mono, level in fm[1:] if level]
    shut = [round(mono) for mono, level in fm[1:] if not level]
    assert len(opened) == len(shut) == len(begins)
    for begin, first, last in zip(begins, opened, shut, strict=True):
        assert begin <= first <= begin + 5000
        assert abs(last - (begin + minute)) <= 50
    assert board.ends == []


def test_file_that_is_no_python_is_told(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("def :")
    with pytest.raises(subprocess.CalledProcessError):
        cross_compiled(tmp_path / "wrong.py", tmp_path / "out.mpy")
