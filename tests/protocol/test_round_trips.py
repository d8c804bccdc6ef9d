from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import codec
from protocol.document import Document
from protocol.limits import ENVELOPE_BYTES_MAX
from protocol.report import Report
from tests.protocol.strategies import DOCUMENTS, REPORTS

EVERYTHING = DOCUMENTS | REPORTS
_few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_every_document_and_report_is_tried() -> None:
    assert {*get_args(Document), *get_args(Report)} <= set(EVERYTHING)


@pytest.mark.slow
@pytest.mark.parametrize("kind", EVERYTHING, ids=lambda kind: kind.__name__)
@_few
@given(data=st.data())
def test_document_survives_the_wire(kind: type, data: st.DataObject) -> None:
    document = data.draw(EVERYTHING[kind])
    wire = codec.encode(document)
    assert codec.decode(kind, wire, bytes_max=ENVELOPE_BYTES_MAX) == document
    assert codec.encode(codec.decode(kind, wire, bytes_max=ENVELOPE_BYTES_MAX)) == wire


@pytest.mark.slow
@pytest.mark.parametrize("kind", EVERYTHING, ids=lambda kind: kind.__name__)
@_few
@given(data=st.data())
def test_unknown_fields_are_ignored(kind: type, data: st.DataObject) -> None:
    document = data.draw(EVERYTHING[kind])
    value = codec.parse_json(codec.encode(document), bytes_max=ENVELOPE_BYTES_MAX)
    assert codec.build(kind, value | {"added_later": {"deep": [1, None, "x"]}}) == document
