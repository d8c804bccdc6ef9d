"""Bulletins as JSON: what the API takes and gives, and its schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from controller.bulletins.domain import Bulletin, Now, possible_acts
from controller.bulletins.draft import PROGRAMME, DraftText
from controller.bulletins.problem import Problem
from controller.bulletins.timing import TimingText, as_text
from controller.bulletins.wording import sentence
from controller.openapi import BOOLEAN, INTEGER, TEXT, WALL_MS, Schema, listing, nullable, record
from controller.people.domain import Viewer
from controller.web.explained import N_, Explained
from protocol.bulletin import Explicit
from protocol.schedule import Relay
from protocol.stream import StreamRelay


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


WHEN_IN: Final[Schema] = record(
    kind=_one_of("now", "once", "weekly"),
    optional={
        "date": {**TEXT, "description": "YYYY-MM-DD or DD/MM/YYYY, with kind once"},
        "time": {**TEXT, "description": "HH:MM or HH:MM:SS, local time"},
        "start_ms": {**WALL_MS, "description": "exact start instead of date and time, at least 5 s ahead"},
        "days": {**listing(INTEGER), "description": "ISO weekdays, 1 Monday to 7 Sunday, with kind weekly"},
        "first_date": TEXT,
        "last_date": TEXT,
        "except_dates": listing(TEXT),
    },
)
CONTENT_IN: Final[Schema] = record(
    kind=_one_of("programme", "relay", "stream"),
    optional={"media_digest": TEXT, "frequency_khz": INTEGER, "duration_ms": INTEGER, "address": TEXT},
)
DRAFT_IN: Final[Schema] = record(
    unit=TEXT,
    title=TEXT,
    optional={
        "class": _one_of("ordinary", "priority"),
        "content": CONTENT_IN,
        "when": WHEN_IN,
        "targets": listing(TEXT),
        "catch_up": _one_of("resume", "restart", "skip"),
    },
)
BULLETIN: Final[Schema] = record(
    id=TEXT,
    unit=TEXT,
    title=TEXT,
    **{"class": TEXT},
    state=TEXT,
    revision=INTEGER,
    content=nullable(record(kind=TEXT, duration_ms=INTEGER)),
    when=nullable(record(kind=TEXT)),
    targets=listing(TEXT),
    catch_up=TEXT,
    reason=nullable(TEXT),
    offered_from=nullable(TEXT),
    acts=listing(TEXT),
)
PROBLEM: Final[Schema] = record(field=TEXT, code=TEXT, message=TEXT, passable=BOOLEAN)


def draft_text(body: Mapping[str, Any]) -> DraftText:
    """The body of a request as the fields of a form; whatever is not text or number counts as empty."""
    content, when = _object(body.get("content")), _object(body.get("when"))
    start = when.get("start_ms")
    return DraftText(
        unit=_text(body.get("unit")),
        title=_text(body.get("title")),
        bulletin_class=_text(body.get("class", "ordinary")),
        content_kind=_text(content.get("kind", PROGRAMME)),
        media_digest=_text(content.get("media_digest")),
        frequency_khz=_text(content.get("frequency_khz")),
        relay_ms=_text(content.get("duration_ms")),
        stream_address=_text(content.get("address")),
        targets=_texts(body.get("targets")),
        catch_up=_text(body.get("catch_up", "resume")),
        timing=TimingText(
            kind=_text(when.get("kind")),
            date=_text(when.get("date")),
            time=_text(when.get("time")),
            days=_texts(when.get("days")),
            first_date=_text(when.get("first_date")),
            last_date=_text(when.get("last_date")),
            except_dates=" ".join(_texts(when.get("except_dates"))),
            start_ms=start if isinstance(start, int) and not isinstance(start, bool) else -1,
        ),
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in value) if isinstance(value, list) else ()


def revision_of(body: Mapping[str, Any]) -> int:
    """The revision that an edit began from."""
    revision = body.get("revision")
    if not isinstance(revision, int) or isinstance(revision, bool):
        raise Explained(N_("Name the revision that you edit."), status=400, code="revision_missing")
    return revision


def bulletin_json(bulletin: Bulletin, viewer: Viewer) -> dict[str, Any]:
    """A bulletin as the API gives it."""
    return {
        "id": bulletin.id,
        "unit": bulletin.unit,
        "title": bulletin.title,
        "class": bulletin.bulletin_class.value,
        "state": bulletin.state.value,
        "revision": bulletin.revision,
        "content": _content_json(bulletin),
        "when": _when_json(bulletin),
        "targets": list(bulletin.targets),
        "catch_up": bulletin.catch_up.value,
        "author_id": bulletin.author_id,
        "approved_by": bulletin.approved_by,
        "reason": bulletin.reason,
        "offered_from": bulletin.offered_from,
        "created_ms": bulletin.created,
        "updated_ms": bulletin.updated,
        "submitted_ms": bulletin.submitted,
        "approved_ms": bulletin.approved,
        "withdrawn_ms": bulletin.withdrawn,
        "acts": sorted(act.value for act in possible_acts(bulletin, viewer)),
    }


def _content_json(bulletin: Bulletin) -> dict[str, Any] | None:
    content = bulletin.content
    if content is None:
        return None
    if isinstance(content, Relay):
        return {"kind": "relay", "frequency_khz": content.frequency_khz, "duration_ms": content.duration_ms}
    if isinstance(content, StreamRelay):
        return {"kind": "stream", "address": content.address, "duration_ms": content.duration_ms}
    media = content.media
    return {
        "kind": "programme",
        "media_digest": media.digest,
        "size_bytes": media.size_bytes,
        "duration_ms": media.duration_ms,
    }


def _when_json(bulletin: Bulletin) -> dict[str, Any] | None:
    timing = bulletin.timing
    if timing is None:
        return None
    if isinstance(timing, Now):
        return {"kind": "now"}
    text = as_text(timing)
    if isinstance(timing, Explicit):
        return {"kind": "once", "date": text.date, "time": text.time, "start_ms": timing.starts[0]}
    return {
        "kind": "weekly",
        "time": text.time,
        "days": list(timing.days),
        "first_date": timing.first_date,
        "last_date": timing.last_date,
        "except_dates": list(timing.except_dates),
    }


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem with its sentence."""
    return {
        "field": problem.field,
        "code": problem.code.value,
        "message": sentence(problem),
        "passable": problem.passable,
    }
