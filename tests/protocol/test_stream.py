"""Relays of web radios: what address may be signed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import codec
from protocol.errors import DocumentError
from protocol.limits import STREAM_ADDRESS_CHARS_MAX
from protocol.stream import StreamRelay, check_stream_address


@pytest.mark.parametrize(
    "address",
    [
        "https://radio.vn/vov1.m3u8?quality=96&x=%20",
        "http://10.0.0.7:8000/live",
        "http://[fe80::1]:8000/live",
        "rtsp://may.vn/1",
        "rtp://239.1.1.1:5004",
    ],
)
def test_address_of_a_station(address: str) -> None:
    check_stream_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "radio.vn/vov1",
        "file:///etc/passwd",
        "HTTP://radio.vn/",
        "https:radio.vn",
        "https://",
        "https:///vov1",
        "https://user:secret@radio.vn/",
        "https://user@radio.vn/",
        "https://radio.vn/#now",
        "https://radio.vn/#",
        "https://rad\u0456o.vn/",
        "https://radio.vn/a b",
        "https://radio.vn/\n",
        "https://radio.vn/<b>",
        "https://radio.vn:0/",
        "https://radio.vn:99999/",
        "https://[radio.vn/",
        "https://radio.vn/" + "a" * STREAM_ADDRESS_CHARS_MAX,
    ],
)
def test_what_is_no_address_of_a_station(address: str) -> None:
    with pytest.raises(ValueError):
        StreamRelay(address, 60_000)


@given(st.text(max_size=40).map(lambda rest: "https://" + rest) | st.text(max_size=400))
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        check_stream_address(text)
    except ValueError:
        return
    assert text.isascii() and len(text) <= STREAM_ADDRESS_CHARS_MAX and "@" not in text.split("/")[2]


@pytest.mark.parametrize("changed", [{"duration_ms": 999}, {"address": "ftp://radio.vn"}, {"address": "a" * 301}])
def test_document_with_a_wrong_stream_is_refused(changed: dict[str, object]) -> None:
    import json

    whole = {"address": "https://radio.vn/", "duration_ms": 60_000} | changed
    with pytest.raises(DocumentError):
        codec.decode(StreamRelay, json.dumps(whole).encode(), bytes_max=1000)
