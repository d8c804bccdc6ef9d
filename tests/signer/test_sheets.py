"""What a person reads before signing."""

import html
import re
from dataclasses import replace

import pytest

from protocol import codec
from protocol.alert import Cancel
from protocol.audible_config import Fallback, StoredMessage, Window
from protocol.bulletin import BulletinClass, CatchUp, Explicit, Weekly
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.keys import SigningKey
from protocol.live import LiveSession
from protocol.stream import StreamRelay
from protocol.units import UnitPath
from signer import wording
from signer.i18n import use_language
from tests.signer import documents
from tests.signer.conftest import Desk


def words(page: str) -> str:
    """The page's text as a reader sees it."""
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(text))


async def test_schedule_in_words(desk: Desk) -> None:
    payload = documents.schedule(documents.programme("a", title="Tiêm phòng", priority=True), documents.relay("b"))
    text = words((await desk.open(Kind.SCHEDULE, payload))[1])
    for said in (
        "Version 1 of Xã Long Phú",
        "9 loudspeakers · about 14,200 people",
        "first one signed on this machine",
        "New Tiêm phòng",
        "Priority bulletin · Recorded programme · 2 minutes 5 seconds",
        "Monday, Wednesday, Friday at 17:00, from 01/11/2025 to 31/12/2025",
        "17:00 · Wednesday 26/11/2025",
        "Relay of FM 99,9 MHz, station identity A201",
        "05:00 · Tuesday 25/11/2025",
        "Ấp 1 , Xã Long Phú",
        "A start lies in quiet hours",
        "After a power cut it goes on",
        "signature 1 of 1",
    ):
        assert said in text, said


async def test_relay_of_a_web_radio_in_words(desk: Desk) -> None:
    item = replace(documents.relay("a"), content=StreamRelay("https://radio.vn/vov1.m3u8", 1_800_000))
    text = words((await desk.open(Kind.SCHEDULE, documents.schedule(item)))[1])
    assert "Internet relay: https://radio.vn/vov1.m3u8" in text
    assert "What this station says is not signed, only its address." in text
    assert "After a power cut" not in text


async def test_relay_that_a_power_cut_ends_says_so(desk: Desk) -> None:
    item = replace(documents.relay("a"), catch_up=CatchUp.SKIP)
    text = words((await desk.open(Kind.SCHEDULE, documents.schedule(item)))[1])
    assert "After a power cut it is left out." in text


async def test_messages_behind_the_buttons_in_words(desk: Desk) -> None:
    messages = (StoredMessage(2, "Mời họp dân", documents.media()),)
    text = words((await desk.open(Kind.AUDIBLE_CONFIG, documents.config(messages=messages)))[1])
    assert "Message button 1 none" in text
    assert f"Message button 2 Mời họp dân (2 minutes 5 seconds, {documents.media().digest[:12]})" in text


async def test_schedule_against_the_version_before(desk: Desk) -> None:
    old = [documents.programme("a"), documents.programme("b", title="Sẽ bỏ"), documents.relay("c")]
    await desk.sign(Kind.SCHEDULE, documents.schedule(*old))
    new = [documents.programme("a", title="Đổi tên"), documents.relay("c"), documents.relay("d")]
    text = words((await desk.open(Kind.SCHEDULE, documents.schedule(*new, version=2)))[1])
    assert "Compared with version 1: 2 new or changed 1 removed 1 unchanged" in text
    assert "Changed Đổi tên" in text
    assert "Removed Sẽ bỏ" in text
    assert "1 item stays as it is" in text


async def test_second_signer_sees_the_same_comparison(desk: Desk) -> None:
    await desk.sign(Kind.SCHEDULE, documents.schedule(documents.relay("a")))
    text = words((await desk.open(Kind.SCHEDULE, documents.schedule(documents.relay("a"))))[1])
    assert "first one signed on this machine" in text


async def test_empty_schedule_says_so(desk: Desk) -> None:
    text = words((await desk.open(Kind.SCHEDULE, documents.schedule()))[1])
    assert "This schedule is empty" in text


async def test_item_that_is_over_says_so(desk: Desk) -> None:
    over = documents.relay("a", starts=[documents.NOW - 5])
    later = documents.relay("b", starts=[documents.NOW + 9 * 86_400_000, documents.NOW + 10 * 86_400_000])
    often = documents.relay("c", starts=[documents.NOW + hour * 3_600_000 for hour in range(1, 10)])
    text = words((await desk.open(Kind.SCHEDULE, documents.schedule(over, later, often)))[1])
    assert "Nothing of it is still to come" in text
    assert "Not within the next eight days" in text
    assert "and 3 more within eight days" in text
    assert "9 broadcasts" in text


async def test_precedence_is_shown_by_title(desk: Desk) -> None:
    item = documents.programme("a", title="Tiêm phòng", priority=True)
    order = (f"{documents.COMMUNE}#a", "vn/92#x")
    text = words((await desk.open(Kind.SCHEDULE, documents.schedule(item, precedence=order)))[1])
    assert "Order of priority bulletins Tiêm phòng vn/92#x" in text


async def test_signed_quiet_hours_are_the_ones_warned_of(desk: Desk) -> None:
    await desk.sign(Kind.AUDIBLE_CONFIG, documents.config())
    item = documents.relay("a", starts=[documents.NOW + 6 * 3_600_000])  # 05:00, after the commune's own hours
    text = words((await desk.open(Kind.SCHEDULE, documents.schedule(item)))[1])
    assert "quiet hours" not in text


async def test_title_is_text_and_nothing_else(desk: Desk) -> None:
    item = documents.relay("a")
    evil = codec.encode(item).decode()
    payload = documents.schedule(item).replace(b"VOV", b"<script>alert(1)</script>%(x)s {{ 7*7 }}")
    assert "VOV" in evil
    _, page = await desk.open(Kind.SCHEDULE, payload)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;%(x)s {{ 7*7 }}" in page


@pytest.mark.parametrize(
    ("kind", "heading", "button"),
    [
        (Kind.ALERT, "REAL EMERGENCY", "Sign and send the REAL EMERGENCY"),
        (Kind.ALERT_DRILL, "DRILL", "Sign and send the DRILL"),
        (Kind.ALERT_TEST, "TEST", "Sign and send the TEST"),
    ],
)
async def test_alert_kinds_cannot_be_mistaken(desk: Desk, kind: Kind, heading: str, button: str) -> None:
    _, page = await desk.open(kind, documents.alert())
    assert f'<body class="{kind}">' in page
    text = words(page)
    others = {"REAL EMERGENCY", "DRILL", "TEST"} - {heading}
    assert heading in text
    assert button in text
    assert not any(other in text for other in others)


async def test_alert_in_words(desk: Desk) -> None:
    text = words((await desk.open(Kind.ALERT, documents.alert()))[1])
    for said in (
        "Vietnamese Nước lũ đang lên nhanh. Bà con ở ven sông hãy đến trường học ngay.",
        "Khmer ទឹកជំនន់កំពុងឡើង។",
        "Spoken by the voice in the loudspeaker",
        "9 loudspeakers · about 14,200 people",
        "3 – serious",
        "two alternating tones for 5 seconds",
        "again and again with 8 seconds of silence between",
        "23:20 · Monday 24/11/2025 (20 minutes from now)",
        "prepares the cancel",
    ):
        assert said in text, said


async def test_unknown_place_is_marked_and_not_counted(desk: Desk) -> None:
    targets = (documents.COMMUNE, UnitPath("vn/92/99999"), UnitPath(f"{documents.COMMUNE}/c01"))
    text = words((await desk.open(Kind.ALERT, documents.alert(scope=documents.PROVINCE, targets=targets)))[1])
    assert "9 loudspeakers" in text
    assert (
        "vn/92/99999 , Thành phố Cần Thơ number of loudspeakers unknown not in this machine's list of places" in text
    )
    assert "1 place is not in this machine's list of places" in text
    assert "Ấp 1" not in text, "a place within another counts once"


async def test_many_places_are_cut_short(desk: Desk) -> None:
    many = [UnitPath(f"vn/92/31498/c{at}") for at in range(45)]
    text = words(
        (
            await desk.open(
                Kind.STOP,
                documents.stop().replace(b'"targets":["vn/92/31498"]', codec.encode({"targets": list(many)})[1:-1]),
            )
        )[1]
    )
    assert "and 5 more places" in text


async def test_config_value_by_value(desk: Desk) -> None:
    await desk.sign(Kind.AUDIBLE_CONFIG, documents.config())
    changed = documents.config(
        version=2,
        ordinary_attenuation_cdb=650,
        fallback=Fallback.FM,
        fm_windows=(Window(18_000, 25_200, (1, 2)),),
        head_age_ms_max=3_600_000,
        microphone_in_quiet_hours=False,
    )
    text = words((await desk.open(Kind.AUDIBLE_CONFIG, changed))[1])
    for said in (
        "5 values change against version 1",
        "Quiet hours 21:00–05:00 (every day)",
        "6,5 dB quieter Changed before: full volume",
        "relay of the FM station Changed before: silence",
        "05:00–07:00 (Monday, Tuesday) Changed before: none",
        "1 hour Changed before: 8 days",
        "not allowed Changed before: allowed",
        "99,9 MHz VOV1 (A201)",
    ):
        assert said in text, said


async def test_stop_and_cancel_and_live_in_words(desk: Desk) -> None:
    text = words((await desk.open(Kind.STOP, documents.stop()))[1])
    assert "Silent until 00:00 · Tuesday 25/11/2025" in text
    ends = WallMs(documents.NOW + 60_000)
    cancel = Cancel(documents.COMMUNE, "alert-9", documents.NOW, ends, (documents.COMMUNE,))
    text = words((await desk.open(Kind.CANCEL, codec.encode(cancel)))[1])
    assert "alert-9" in text
    studio = SigningKey.from_seed(b"s" * 32).public
    live = LiveSession(
        documents.COMMUNE, "0" * 32, 9, documents.NOW, ends, BulletinClass.PRIORITY, studio, (documents.COMMUNE,)
    )
    text = words((await desk.open(Kind.LIVE_SESSION, codec.encode(live)))[1])
    assert f"Priority bulletin Key of the studio {studio[:16]}" in text


async def test_language_is_remembered(desk: Desk) -> None:
    address, page = await desk.open(Kind.STOP, documents.stop(), lang="vi")
    assert "Dừng phát ngay" in page
    assert "Stop broadcasting now" in await desk.read(f"{address}?lang=en")
    assert "Stop broadcasting now" in await desk.read(address)
    assert "Dừng phát ngay" in await desk.read(f"{address}?lang=xx") or "Stop" in await desk.read(address)


async def test_home_names_keys_and_says_demo(desk: Desk) -> None:
    text = words(await desk.read(f"{desk.origin}/?lang=en"))
    assert "Nguyễn Thị Lan" in text
    assert "made-up people" in text


def test_wording_at_its_edges() -> None:
    use_language("en")
    try:
        assert wording.moment(WallMs(2**53 - 1)) == "a time beyond the calendar"
        assert wording.moment(WallMs(1_764_000_005_000)) == "23:00:05 · Monday 24/11/2025"
        assert wording.length(0) == "0 seconds"
        assert wording.length(300) == "1 second"
        assert wording.length(3_661_000) == "1 hour 1 minute 1 second"
        assert wording.clock_time(86_400) == "24:00"
        assert wording.clock_time(61) == "00:01:01"
        assert wording.language_words("fr") == "fr"
        rule = Weekly((), 0, "2025-01-01", "2025-01-02", ("2025-01-02",))
        assert wording.when_words(rule) == "on no day at 00:00, from 01/01/2025 to 02/01/2025, except 02/01/2025"
        assert not wording.later_starts(rule, documents.NOW)
        assert wording.later_starts(Explicit((WallMs(2**53 - 1),)), documents.NOW)
    finally:
        use_language("vi")
