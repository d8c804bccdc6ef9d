"""The library for programs and for the chooser: JSON below `/api/v1`."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from controller.keys import ENGINE
from controller.library.domain import Media, Origin, Wanted, tidy_source_name
from controller.library.job import Job
from controller.library.queries import PAGE_SIZE, find_media, list_media
from controller.library.refusal import SoundRefusedError
from controller.library.service import LIBRARY
from controller.library.upload import received
from controller.library.wording import explained
from controller.openapi import INTEGER, TEXT, WALL_MS, ApiRoute, add_api, listing, nullable, record
from controller.people.access import viewer_of
from controller.people.domain import Role
from controller.store.engine import reading
from controller.web.explained import N_, Explained, not_found
from controller.web.strict_json import loads
from protocol.units import UnitPath, unit_path

MAKERS = (Role.AUTHOR, Role.APPROVER, Role.OPERATOR)
"""Who may add sound: an operator has the text of an emergency spoken."""

_FACTS = {
    "digest": TEXT,
    "url": TEXT,
    "unit": TEXT,
    "unit_name": TEXT,
    "title": TEXT,
    "origin": {"type": "string", "enum": [one.value for one in Origin]},
    "text": nullable(TEXT),
    "language": nullable(TEXT),
    "size_bytes": INTEGER,
    "duration_ms": INTEGER,
    "loudness_in_cdb": nullable({"type": "integer", "description": "hundredths of LUFS before levelling"}),
    "loudness_out_cdb": nullable({"type": "integer", "description": "hundredths of LUFS of what is broadcast"}),
    "peak_out_cdb": nullable({"type": "integer", "description": "hundredths of dBTP of what is broadcast"}),
    "source_name": nullable(TEXT),
    "creator": TEXT,
    "created_ms": WALL_MS,
}
MEDIA = record(**_FACTS, waveform={"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 100}})
JOB = record(
    id=TEXT,
    stage=TEXT,
    seconds={"type": "number"},
    percent=nullable(INTEGER),
    media=nullable(MEDIA),
    error=nullable(record(code=TEXT, message=TEXT)),
)
_FORM = record(unit=TEXT, title=TEXT, file={"type": "string", "format": "binary"})
_SPEECH = record(unit=TEXT, title=TEXT, text=TEXT, language={"type": "string", "enum": ["vi", "en"]})
_WAIT = {"wait": {"type": "integer", "enum": [0, 1], "description": "0: answer 202 with the job at once"}}
_MADE = {"anyOf": [MEDIA, JOB]}


def add_routes(app: web.Application) -> None:
    """Adds and describes the routes."""
    search = {"search": TEXT, "unit": TEXT, "origin": TEXT, "before": WALL_MS}
    add_api(
        app,
        ApiRoute("GET", "/media", list_library, "Sound, newest first", query=search, response=_listed()),
        ApiRoute(
            "POST",
            "/media",
            upload_media,
            "Adds a sound file",
            request=_FORM,
            body_type="multipart/form-data",
            query=_WAIT,
            response=_MADE,
            status=201,
        ),
        ApiRoute(
            "POST",
            "/speech",
            speak_text,
            "Has a text spoken",
            request=_SPEECH,
            query=_WAIT,
            response=_MADE,
            status=201,
        ),
        ApiRoute("GET", "/media/jobs/{job}", show_job, "How far a sound is", response=JOB),
        ApiRoute("DELETE", "/media/jobs/{job}", cancel_job, "Gives a sound up", status=204),
        ApiRoute("GET", "/media/{digest}", show_media, "One sound with its waveform", response=MEDIA),
    )


def _listed() -> dict[str, Any]:
    return dict(record(media=listing(record(**_FACTS)), before=nullable(WALL_MS)))


async def upload_media(request: web.Request) -> web.Response:
    """Takes a file and prepares it."""
    library = request.app[LIBRARY]

    def unit_of(fields: dict[str, str]) -> UnitPath:
        return _unit_for_new(request, fields.get("unit", ""))

    try:
        async with received(request, library.storage, check=unit_of) as upload:
            wanted = Wanted(
                unit=unit_of(upload.fields),
                title=upload.fields.get("title", ""),
                account=viewer_of(request).account,
                source_name=tidy_source_name(upload.source_name),
            )
            return await _answer(request, library.begin_file(upload.path, wanted))
    except SoundRefusedError as error:
        raise explained(error) from error


async def speak_text(request: web.Request) -> web.Response:
    """Takes a text and has it spoken."""
    body = await _object(request)
    wanted = Wanted(
        unit=_unit_for_new(request, body["unit"]),
        title=body["title"],
        account=viewer_of(request).account,
        text=body["text"],
        language=body["language"],
    )
    try:
        return await _answer(request, request.app[LIBRARY].begin_speech(wanted))
    except SoundRefusedError as error:
        raise explained(error) from error


async def _object(request: web.Request) -> dict[str, str]:
    try:
        body = await request.json(loads=loads)
        fields = {name: body[name] for name in ("unit", "text", "language")} | {"title": body.get("title", "")}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Explained(N_("The request could not be understood. Go back and try again.")) from error
    if not all(isinstance(value, str) for value in fields.values()):
        raise Explained(N_("The request could not be understood. Go back and try again."))
    return fields


def _unit_for_new(request: web.Request, text: str) -> UnitPath:
    try:
        unit = unit_path(text)
    except ValueError as error:
        raise Explained(N_("Please choose the unit for which this sound is."), code="no_unit") from error
    if not any(viewer_of(request).may(role, unit) for role in MAKERS):
        sentence = N_("Your account may not add sound for this unit. Choose another unit, or ask its technician.")
        raise Explained(sentence, status=403, code="not_allowed")
    return unit


async def _answer(request: web.Request, job: Job) -> web.Response:
    if request.query.get("wait") == "0":
        return web.json_response(job_json(job), status=202)
    library = request.app[LIBRARY]
    return web.json_response(media_json(await library.result(job)), status=201)


async def list_library(request: web.Request) -> web.Response:
    """Lists what the viewer may see."""
    query = request.query
    try:
        unit = unit_path(query["unit"]) if query.get("unit") else None
        origin = Origin(query["origin"]) if query.get("origin") else None
        before_ms = int(query["before"]) if query.get("before") else None
    except ValueError as error:
        raise Explained(N_("The request could not be understood. Go back and try again.")) from error
    async with reading(request.app[ENGINE]) as connection:
        found = await list_media(
            connection,
            scopes=viewer_of(request).scopes(),
            search=query.get("search", "")[:200],
            unit=unit,
            origin=origin,
            before_ms=before_ms,
        )
    before = found[-1].created_ms if len(found) == PAGE_SIZE else None
    return web.json_response({"media": [facts_json(one) for one in found], "before": before})


async def show_media(request: web.Request) -> web.Response:
    """Shows one."""
    return web.json_response(media_json(await viewed_media(request)))


async def viewed_media(request: web.Request) -> Media:
    """The media of the address, when the viewer may see it. Raises Explained otherwise."""
    async with reading(request.app[ENGINE]) as connection:
        found = await find_media(connection, request.match_info["digest"], scopes=viewer_of(request).scopes())
    if found is None:
        raise not_found()
    return found


async def show_job(request: web.Request) -> web.Response:
    """Tells how far a job is."""
    return web.json_response(job_json(_own_job(request)))


async def cancel_job(request: web.Request) -> web.Response:
    """Ends a job."""
    request.app[LIBRARY].give_up(_own_job(request))
    return web.Response(status=204)


def _own_job(request: web.Request) -> Job:
    job = request.app[LIBRARY].job(request.match_info["job"], account=viewer_of(request).account)
    if job is None:
        sentence = N_(
            "The server was restarted while it prepared your sound. Nothing was kept; please send it again."
        )
        raise Explained(sentence, status=404, code="job_lost")
    return job


def facts_json(media: Media) -> dict[str, Any]:
    """A media without its waveform."""
    return {name: getattr(media, name) for name in _FACTS}


def media_json(media: Media) -> dict[str, Any]:
    """A media with its waveform."""
    return {**facts_json(media), "waveform": list(media.waveform)}


def job_json(job: Job) -> dict[str, Any]:
    """A job, with its result or its error in the reader's language."""
    error = explained(job.refused) if job.refused is not None else None
    return {
        "id": job.id,
        "stage": job.stage.value,
        "seconds": job.seconds,
        "percent": job.percent,
        "media": media_json(job.media) if job.media is not None else None,
        "error": {"code": error.code, "message": error.told()} if error is not None else None,
    }
