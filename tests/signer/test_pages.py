from protocol.document import Kind
from tests.signer import documents
from tests.signer.conftest import Desk


async def test_schedule_is_signed_and_handed_back(desk: Desk) -> None:
    payload = documents.schedule(documents.programme("a"), documents.relay("b"))
    back = await desk.sign(Kind.SCHEDULE, payload)
    assert back == f"{desk.controller.origin}/bulletins/7"
    assert [one.payload for one in desk.controller.taken] == [payload]
