"""Streams that only libVLC's player takes: RTSP and bare RTP; and what their senders may do wrong."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from hardware import vlc_hls, vlc_rtp, vlc_rtsp, vlc_web
from hardware.errors import MediaError
from hardware.interfaces import SoundSource
from hardware.vlc_player import VlcPlayer
from simulators.listening import find
from simulators.rtsp_station import RtspStation, rtp_packets, send_rtp
from simulators.web_radio import WebRadio, tune


async def frames_of(source: SoundSource, count: int) -> bytes:
    return b"".join([await source.read() or b"" for _ in range(count)])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mp3", "aac", "opus", "l16"])
async def test_rtsp_station_is_heard(kind: str) -> None:
    async with RtspStation() as station:
        source = await VlcPlayer().open_stream(station.address(kind))
        sound = await frames_of(source, 100)
        await source.close()
    assert find(sound[96_000:], tune() * 2).correlation > 0.95
    assert station.asked == ["DESCRIBE", "SETUP", "PLAY"]


@pytest.mark.slow
async def test_rtsp_station_that_closes_ends_the_sound() -> None:
    async with RtspStation() as station:
        source = await VlcPlayer().open_stream(station.address("mp3"))
        await station.close()
        async with asyncio.timeout(2.5):
            while await source.read() is not None:
                pass
        await source.close()


@pytest.mark.slow
async def test_rtsp_station_without_that_programme() -> None:
    async with RtspStation() as station:
        with pytest.raises(MediaError, match="404"):
            await VlcPlayer().open_stream(station.address("nothing"))


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1", "239.255.7.11"])
async def test_packets_sent_to_us_are_heard(host: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sending = asyncio.create_task(send_rtp(host, port))
    source = await VlcPlayer().open_stream(f"rtp://{host}:{port}")
    sound = await frames_of(source, 100)
    sending.cancel()
    assert find(sound[96_000:], tune() * 2).correlation > 0.95
    with pytest.raises(MediaError):
        async with asyncio.timeout(4):
            await frames_of(source, 1000)
    await source.close()


@pytest.mark.slow
async def test_password_in_an_address_is_told_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with WebRadio() as radio:
        address = radio.address("radio.mp3").replace("://", "://lan:bi-mat@")
        source = await VlcPlayer().open_stream(address)
        process = source.source.process  # type: ignore[attr-defined]
        command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process_environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        await source.close()
        await radio.close()
        with pytest.raises(MediaError) as caught:
            await VlcPlayer().open_stream(address)
    assert "bi-mat" not in str(caught.value) + caplog.text
    assert b"bi-mat" not in command + process_environment


@pytest.mark.slow
def test_packets_out_of_order_are_dropped() -> None:
    packets = [vlc_rtp.parsed(packet) for packet, _ in zip(rtp_packets("mp3"), range(5), strict=False)]
    one, two, three, four, five = (packet for packet in packets if packet is not None)
    cut = vlc_rtp.stream(iter([one, three, two, three, five, four]), None)
    assert b"".join(cut.pieces) == b"".join(packet.payload[4:] for packet in (one, three, five))


@pytest.mark.parametrize(
    "packet", [b"", b"\x80", bytes(12), b"\x9f\x0e" + bytes(10), b"\xa0\x0e" + bytes(9) + b"\xff"]
)
def test_rubbish_instead_of_packets_is_survived(packet: bytes) -> None:
    parsed = vlc_rtp.parsed(packet)
    assert parsed is None or parsed.payload == b""


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"#EXTM3U",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:99999999999999999999999999\n",
        b"#EXTM3U\n" + b"a.ts\n" * 30_000,
        b'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="key"\na.ts\n',
        b'#EXTM3U\n#EXT-X-MAP:URI="head.mp4"\na.m4s\n',
    ],
)
def test_playlist_that_cannot_be_played(text: bytes) -> None:
    with pytest.raises(MediaError):
        vlc_hls.parsed("http://radio.example/list.m3u8", text)


def test_smallest_quality_of_a_master_playlist_is_chosen() -> None:
    text = (
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=200000\nhigh.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=64000\nlow/list.m3u8\n"
    )
    assert (
        min(vlc_hls.parsed("http://radio.example/a/b.m3u8", text).choices)[1]
        == "http://radio.example/a/low/list.m3u8"
    )


@pytest.mark.parametrize(
    "body",
    [b"", b"m=", b"m=audio", b"m=audio x RTP/AVP x", b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000", b"\xff" * 99],
)
def test_description_without_sound(body: bytes) -> None:
    with pytest.raises(MediaError):
        vlc_rtsp.described(body)


@pytest.mark.parametrize("coding", ["H264/90000", "L16/999999999", "mpeg4-generic/48000", "vorbis/48000", "/", ""])
def test_coding_that_is_not_played(coding: str) -> None:
    body = f"m=audio 0 RTP/AVP 96\r\na=rtpmap:96 {coding}\r\na=fmtp:96 config=zz;mode\r\n"
    with pytest.raises(MediaError):
        vlc_rtsp.form_of(vlc_rtsp.described(body.encode()))


@pytest.mark.parametrize("head", [b"", b"<html>", b"#EXTM3U\nfile:///etc/passwd", b"\x47", b"ID3", b"\xff" * 5000])
def test_answer_that_does_not_begin_as_sound(head: bytes) -> None:
    with pytest.raises(MediaError):
        vlc_web.demuxer_of(head)
