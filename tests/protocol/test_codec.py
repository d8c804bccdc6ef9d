from dataclasses import dataclass, field

import pytest

from protocol import codec
from protocol.bulletin import CatchUp, MediaRef
from protocol.errors import DocumentError, Refusal
from protocol.schedule import Programme, Relay


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    count: int = field(default=0, metadata=codec.bounded(low=-5, high=5))
    open: bool = False
    mode: CatchUp = CatchUp.SKIP
    tags: tuple[str, ...] = field(default=(), metadata=codec.bounded(chars_max=3, count_max=2))
    content: Programme | Relay | None = None
    note: str | None = None


def read(text: str | bytes, bytes_max: int = 4096) -> Sample:
    return codec.decode(Sample, text if isinstance(text, bytes) else text.encode(), bytes_max=bytes_max)


def test_one_byte_form() -> None:
    made = codec.encode(Sample("Ấp 1", tags=("b", "a")))
    assert made == '{"count":0,"mode":"skip","name":"Ấp 1","open":false,"tags":["b","a"]}'.encode()


def test_absent_fields_take_their_defaults() -> None:
    assert read('{"name":"x"}') == Sample("x")


def test_null_is_absence_where_allowed() -> None:
    assert read('{"name":"x","note":null,"content":null}') == Sample("x")


def test_variant_is_chosen_by_its_kind() -> None:
    content = Programme(MediaRef("a" * 64, 10, 20))
    assert read(codec.encode(Sample("x", content=content))).content == content


def test_unknown_field_beside_known_ones() -> None:
    assert read('{"name":"x","future":[{"a":1}]}') == Sample("x")


def test_too_large_before_parsing() -> None:
    with pytest.raises(DocumentError) as caught:
        read(b"{" * 5000)
    assert caught.value.refusal is Refusal.TOO_LARGE
    assert caught.value.detail == "5000 bytes, at most 4096"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "Expecting value"),
        (b"\xff\xfe", "utf-8"),
        ("[" * 4000, ""),
        ('{"name":"x","name":"y"}', "a key stands twice"),
        ('{"name":"x","future":{"a":1,"a":2}}', "a key stands twice"),
        ('{"name":"x","count":1.0}', "not a whole number: 1.0"),
        ('{"name":"x","future":1e5}', "not a whole number: 1e5"),
        ('{"name":"x","count":NaN}', "not a whole number: NaN"),
        ('{"name":"x","count":-Infinity}', "not a whole number: -Infinity"),
        ('{"name":"x","count":' + "9" * 3000 + "}", "$.count is not within -5 and 5"),
        ('{"name":"x","count":' + "9" * 4050 + "}", ""),
        ('{"name":"x"} {}', "Extra data"),
        ("[1]", "$ is not an object"),
        ("null", "$ is not an object"),
        ("{}", "$.name is missing"),
        ('{"name":null}', "$.name is not a text"),
        ('{"name":7}', "$.name is not a text"),
        ('{"name":"x","count":true}', "$.count is not a whole number"),
        ('{"name":"x","count":"3"}', "$.count is not a whole number"),
        ('{"name":"x","count":6}', "$.count is not within -5 and 5"),
        ('{"name":"x","count":-6}', "$.count is not within -5 and 5"),
        ('{"name":"x","open":1}', "$.open is not true or false"),
        ('{"name":"x","mode":"later"}', "$.mode is not one of resume, restart, skip"),
        ('{"name":"x","mode":{}}', "$.mode is not one of resume, restart, skip"),
        ('{"name":"x","tags":"ab"}', "$.tags is not a list"),
        ('{"name":"x","tags":["a","b","c"]}', "$.tags has more than 2 entries"),
        ('{"name":"x","tags":["a","long"]}', "$.tags[1] is longer than 3 characters"),
        ('{"name":"x","tags":[1]}', "$.tags[0] is not a text"),
        ('{"name":"x","content":{"kind":"song"}}', "$.content is not one of programme, relay"),
        ('{"name":"x","content":{}}', "$.content is not one of programme, relay"),
        ('{"name":"x","content":[]}', "$.content is not one of programme, relay"),
        ('{"name":"x","content":{"kind":"relay"}}', "$.content.frequency_khz is missing"),
        ('{"name":"x","content":{"kind":"relay","frequency_khz":5,"duration_ms":1000}}', "$.content: 5 kHz"),
        ('{"name":"\\ud800"}', "$.name is not text that can be written as UTF-8"),
        ('{"name":"\\udc00x"}', "$.name is not text that can be written as UTF-8"),
    ],
)
def test_malformed_document_names_the_place(text: str | bytes, detail: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(text)
    assert caught.value.refusal is Refusal.MALFORMED_DOCUMENT
    assert detail in caught.value.detail
    assert len(caught.value.detail) <= 200


def test_long_text_is_refused() -> None:
    assert read('{"name":"' + "ă" * 200 + '"}').name == "ă" * 200
    with pytest.raises(DocumentError, match="longer than 200"):
        read('{"name":"' + "ă" * 201 + '"}')


def test_endless_number_is_refused_quickly() -> None:
    with pytest.raises(DocumentError) as caught:
        read('{"name":"x","count":' + "9" * 100_000 + "}", bytes_max=200_000)
    assert caught.value.refusal is Refusal.MALFORMED_DOCUMENT


def test_sixteen_levels_and_no_more() -> None:
    def deep(levels: int) -> str:
        return '{"name":"x","future":' + "[" * levels + "]" * levels + "}"

    assert read(deep(15)) == Sample("x")
    with pytest.raises(DocumentError, match="nested too deeply"):
        read(deep(16))
    with pytest.raises(DocumentError, match="nested too deeply"):
        read('{"name":"x","future":' + '{"a":' * 16 + "1" + "}" * 17)


def test_error_says_refusal_and_place() -> None:
    assert str(DocumentError(Refusal.EXPIRED, "$.expires")) == "expired: $.expires"


def test_a_million_little_things_are_refused_before_they_are_parsed() -> None:
    data = b"[" + b",".join([b"[]"] * 60_000) + b"]"
    with pytest.raises(DocumentError) as caught:
        codec.parse_json(data, bytes_max=len(data))
    assert caught.value.refusal is Refusal.TOO_LARGE
    assert len(codec.parse_json(data, bytes_max=len(data), values_max=200_000)) == 60_000
