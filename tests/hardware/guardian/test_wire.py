"""Frames, signatures and sessions, and what the parsers do with rubbish."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hardware.guardian import message, plan, wire
from hardware.guardian.message import State

KEY = b"k" * 32


def pair() -> tuple[wire.Session, wire.Session]:
    key = wire.session_key(KEY, b"a" * 16, b"b" * 16)
    return wire.Session(key, guardian=False), wire.Session(key, guardian=True)


def content(framed: bytes) -> bytes:
    (frame,) = wire.FrameReader().feed(framed)
    return frame


@given(st.binary(max_size=1100))
def test_stuffing_is_undone(data: bytes) -> None:
    stuffed = wire.stuffed(data)
    assert 0 not in stuffed
    assert wire.unstuffed(stuffed) == data


@given(st.lists(st.binary(max_size=600), max_size=12), st.integers(1, 40))
def test_reader_survives_rubbish_and_finds_the_next_frame(noise: list[bytes], step: int) -> None:
    data = b"".join(noise) + wire.framed(b"hello there")
    reader = wire.FrameReader()
    frames = [frame for at in range(0, len(data), step) for frame in reader.feed(data[at : at + step])]
    assert frames[-1] == b"hello there"
    assert all(len(frame) <= wire.STUFFED_BYTES_MAX for frame in frames)


def test_reader_drops_what_is_too_long() -> None:
    reader = wire.FrameReader()
    assert reader.feed(b"\0" + b"\x01" * 50_000 + b"\0") == []
    assert reader.feed(wire.framed(b"short")) == [b"short"]


def test_reader_gives_a_bounded_number_of_frames() -> None:
    assert len(wire.FrameReader().feed(wire.framed(b"x") * 1000)) == wire.FRAMES_WAITING_MAX


def test_session_carries_both_ways() -> None:
    computer, guardian = pair()
    frame, counter = computer.seal(message.BEAT, b"body")
    assert guardian.opened(content(frame)) == (message.BEAT, counter, b"body")
    answer, counter = guardian.seal(message.STATE, b"state")
    assert computer.opened(content(answer)) == (message.STATE, counter, b"state")


def test_frame_is_believed_once() -> None:
    computer, guardian = pair()
    frame, _ = computer.seal(message.BEAT, b"")
    assert guardian.opened(content(frame)) is not None
    assert guardian.opened(content(frame)) is None


def test_earlier_frame_is_not_believed_after_a_later_one() -> None:
    computer, guardian = pair()
    first, _ = computer.seal(message.BEAT, b"")
    second, _ = computer.seal(message.BEAT, b"")
    assert guardian.opened(content(second)) is not None
    assert guardian.opened(content(first)) is None


def test_frame_thrown_back_is_none() -> None:
    computer, _ = pair()
    frame, _ = computer.seal(message.BEAT, b"")
    assert computer.opened(content(frame)) is None


def test_changed_bit_is_noticed() -> None:
    computer, _ = pair()
    frame = content(computer.seal(message.BEAT, b"wall time")[0])
    for at in range(len(frame)):
        _, guardian = pair()
        changed = frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]
        assert guardian.opened(changed) is None


def test_frames_of_another_session_are_none() -> None:
    computer, _ = pair()
    other = wire.Session(wire.session_key(KEY, b"a" * 16, b"c" * 16), guardian=True)
    assert other.opened(content(computer.seal(message.BEAT, b"")[0])) is None


@given(st.binary(max_size=1200))
def test_rubbish_is_no_message(data: bytes) -> None:
    _, guardian = pair()
    assert guardian.opened(data) is None
    assert wire.greeted(data, message.HELLO, KEY) is None
    message.state_of(data)
    message.reading_of(data)
    message.resets_of(data)
    message.beat_of(data)
    read = plan.plan_of(data)
    assert read is None or len(read.windows) <= plan.WINDOWS_MAX
    assert plan.unsealed(data, KEY) is None


def test_messages_come_back_as_they_were() -> None:
    state = State(
        answers=7, result=2, source=2, flags=5, plan_version=1 << 40, boots=9, cause=1, wall_ms=1 << 41, age_ms=70_000
    )
    read = message.state_of(state.packed())
    assert read is not None
    assert vars(read) == {**vars(state), "age_ms": 0xFFFF}
    assert message.reading_of(message.packed_reading(3, 0, 99_900, 55, 0xA201)) == (3, 0, 99_900, 55, 0xA201)
    assert message.reading_of(message.packed_reading(3, 0, 99_900, 300, None)) == (3, 0, 99_900, 255, None)
    resets = [(number, 1, 0) for number in range(50)]
    assert message.resets_of(message.packed_resets(4, resets)) == (4, resets[-32:])
    assert message.beat_of(message.packed_beat(1, None)) == (1, None)
