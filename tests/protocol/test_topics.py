import pytest

from protocol.report import AsRun, Fault, Receipt, Status
from protocol.topics import (
    ALERT,
    DOC,
    DOWN,
    device_id,
    down_topics,
    online_topic,
    unit_of_topic,
    unit_topic,
    up_of_topic,
    up_topic,
)
from protocol.units import UnitPath

PLACE = UnitPath("vn/92/31498/c07")


@pytest.mark.parametrize("leaf", DOWN)
def test_unit_topic_is_read_back(leaf: str) -> None:
    topic = unit_topic(PLACE, leaf)
    assert topic == f"loalang/v1/u/vn/92/31498/c07/{leaf}"
    assert unit_of_topic(topic) == (PLACE, leaf)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "loalang/v1/u/vn",
        "loalang/v1/u/vn/92/status",
        "loalang/v1/u/doc",
        "loalang/v1/u//doc",
        "loalang/v1/u/VN/doc",
        "loalang/v1/u/vn/+/doc",
        "loalang/v2/u/vn/doc",
        "x/loalang/v1/u/vn/doc",
        "loalang/v1/u/" + "a/" * 9 + "doc",
    ],
)
def test_topic_of_no_unit(topic: str) -> None:
    assert unit_of_topic(topic) is None


def test_device_listens_to_itself_and_above() -> None:
    topics = down_topics(PLACE)
    assert len(topics) == 4 * len(DOWN)
    assert topics[0] == unit_topic(UnitPath("vn"), DOC)
    assert unit_topic(PLACE, ALERT) in topics


@pytest.mark.parametrize("report", [Status, Receipt, AsRun, Fault])
def test_up_topic_is_read_back(report: type) -> None:
    assert up_of_topic(up_topic("loa-1", report)) == ("loa-1", report)


def test_online_topic_is_read_back() -> None:
    assert online_topic("loa-1") == "loalang/v1/d/loa-1/up/online"
    assert up_of_topic(online_topic("loa-1")) == ("loa-1", None)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "loalang/v1/d/loa-1/up",
        "loalang/v1/d/loa-1/up/status/x",
        "loalang/v1/d/loa-1/up/poem",
        "loalang/v1/d/loa-1/down/status",
        "loalang/v1/u/loa-1/up/status",
        "loalang/v1/d/LOA/up/status",
        "loalang/v1/d//up/status",
        "loalang/v1/d/" + "a" * 65 + "/up/status",
    ],
)
def test_topic_of_no_device(topic: str) -> None:
    assert up_of_topic(topic) is None


def test_device_id_from_outside() -> None:
    assert device_id("loa-31498-01") == "loa-31498-01"
    for text in ("", "Loa", "a/b", "a" * 65, "loa 1", "loa\n"):
        with pytest.raises(ValueError, match="device id"):
            device_id(text)
