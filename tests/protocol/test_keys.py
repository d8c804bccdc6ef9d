import pytest

from protocol.errors import DocumentError, Refusal
from protocol.keys import SigningKey, key_id, public_key, verify

P = 2**255 - 19
SMALL_ORDER = {
    "the identity": (1).to_bytes(32, "little"),
    "order two": (P - 1).to_bytes(32, "little"),
    "order four": bytes(32),
    "order four, other sign": bytes(31) + b"\x80",
    "order eight": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "order eight, other sign": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    "order eight, other root": bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
}
NOT_CANONICAL = {
    "y is p": P.to_bytes(32, "little"),
    "y is p and one": (P + 1).to_bytes(32, "little"),
    "y is the largest": b"\xff" * 31 + b"\x7f",
    "minus zero": (1 | 1 << 255).to_bytes(32, "little"),
    "minus zero at minus one": (P - 1 | 1 << 255).to_bytes(32, "little"),
}


@pytest.mark.parametrize("seed", range(8))
def test_real_key_is_accepted(seed: int) -> None:
    made = SigningKey.from_seed(bytes([seed]) * 32)
    assert public_key(made.public) == made.public


@pytest.mark.parametrize("raw", SMALL_ORDER.values(), ids=SMALL_ORDER)
def test_small_order_key_is_refused(raw: bytes) -> None:
    with pytest.raises(DocumentError, match="small order"):
        public_key(raw.hex())


@pytest.mark.parametrize("raw", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_other_spelling_of_a_key_is_refused(raw: bytes) -> None:
    with pytest.raises(DocumentError, match=r"canonical|not a point") as caught:
        public_key(raw.hex())
    assert caught.value.refusal is Refusal.MALFORMED_DOCUMENT


def test_identity_key_would_sign_anything() -> None:
    """Why small-order keys are refused: OpenSSL takes one fixed signature under the identity for every message."""
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)
    assert verify(identity.hex(), forged, b"open the loudspeakers")
    assert verify(identity.hex(), forged, b"and anything else")


@pytest.mark.parametrize("text", ["", "xy", "0" * 63, "0" * 66, "AB" * 32, " " + "0" * 63, "0 " * 32, "é" * 64])
def test_text_that_is_no_key(text: str) -> None:
    with pytest.raises(DocumentError, match="hexadecimal"):
        public_key(text)


def test_point_off_the_curve_is_refused() -> None:
    off = next(y for y in range(2, 50) if not _on_curve(y))
    with pytest.raises(DocumentError, match="not a point"):
        public_key(off.to_bytes(32, "little").hex())


def _on_curve(y: int) -> bool:
    d = -121665 * pow(121666, -1, P)
    square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
    return pow(square, (P - 1) // 2, P) in (0, 1)


def test_signature_is_only_for_its_message_and_key() -> None:
    made, other = SigningKey.from_seed(b"a" * 32), SigningKey.generate()
    signature = made.sign(b"one")
    assert verify(made.public, signature, b"one")
    assert not verify(made.public, signature, b"two")
    assert not verify(other.public, signature, b"one")
    assert not verify(made.public, bytes(64), b"one")


def test_secret_never_shows() -> None:
    made = SigningKey.from_seed(b"secret-secret-secret-secret-seed")
    assert repr(made) == f"SigningKey({key_id(made.public)})"
    assert SigningKey.from_seed(made.seed()).public == made.public
