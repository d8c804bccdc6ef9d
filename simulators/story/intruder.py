"""The chapter of the intruder: a stick with a tampered schedule, an older one, and one signed by another commune.

Nothing of it is obeyed, and the controller's screen names each reason.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Final

import aiohttp

from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import Refusal
from protocol.keys import SigningKey
from protocol.parcel import pack_parcel
from protocol.units import UnitPath
from signer.key_store import read_sealed, unseal
from simulators.device import SimDevice
from simulators.province import Province
from simulators.story.stage import CUT, Stage
from simulators.story.steps import Steps, check

_BUNDLE: Final = "loalang-bundle.json"
_SEEN_S: Final = 15


async def schedule_in_force(stage: Stage, place: str) -> Envelope:
    """The signed schedule of a place's unit, as any of its devices may read it."""
    async with aiohttp.ClientSession() as session:
        found = await stage.device(place).line(session).documents()
    return next(one for one in found.envelopes() if one.kind == Kind.SCHEDULE)


async def intrude(steps: Steps, stage: Stage, *, older: Envelope) -> None:
    """Three forgeries on one stick."""
    device = stage.device(CUT)
    newest = await schedule_in_force(stage, CUT)
    forged = {
        "tampered_refused": (_tampered(newest), Refusal.BAD_SIGNATURE),
        "older_version_refused": (older, Refusal.OLDER_VERSION),
        # The device keeps no grant of another commune, not even when one is handed to it: that key is nobody's.
        "other_communes_key_refused": (_signed_by_neighbour(newest, stage.province), Refusal.UNKNOWN_KEY),
    }
    envelopes = (*stage.province.ceremony.grants, *(envelope for envelope, _ in forged.values()))
    _plug(device, pack_parcel(UnitPath(stage.ke_sach.unit), envelopes))
    for name, (envelope, refusal) in forged.items():
        async with steps.step(name) as figures:
            await _told(stage, device, envelope, refusal)
            figures["refusal"] = refusal.value
    async with steps.step("nothing_forged_is_obeyed"):
        status = device.status()
        digests = {one.digest for one in status.in_force} if status is not None else set()
        check(newest.digest in digests, "the signed schedule is not in force any more")
        check(not digests & {envelope.digest for envelope, _ in forged.values()}, "a forgery is in force")


def _tampered(envelope: Envelope) -> Envelope:
    """Another title under the same signatures, and a version that would win."""
    payload = json.loads(envelope.payload)
    payload["version"] += 1
    payload["items"][0]["title"] = "Nghe theo tôi"
    return dataclasses.replace(envelope, payload=json.dumps(payload).encode())


def _signed_by_neighbour(envelope: Envelope, province: Province) -> Envelope:
    """A faultless schedule, but with the key of Long Phú."""
    payload = json.loads(envelope.payload)
    payload["version"] += 2
    return sign(Kind.SCHEDULE, json.dumps(payload, sort_keys=True).encode(), [_key(province, "c2")])


def _key(province: Province, name: str) -> SigningKey:
    sealed = read_sealed(province.data / "signer" / "keys" / f"{name}.json")
    return unseal(sealed, province.ceremony.person(name).passphrase)


def _plug(device: SimDevice, parcel: bytes) -> None:
    slot: Path = device.slot
    shutil.rmtree(slot, ignore_errors=True)
    slot.mkdir(parents=True)
    (slot / _BUNDLE).write_bytes(parcel)


async def _told(stage: Stage, device: SimDevice, envelope: Envelope, refusal: Refusal) -> None:
    """The reason is in the controller's log, and on the page that people read."""

    def named(refusals: list[dict[str, object]]) -> list[object]:
        return [
            one["refusal"]
            for one in refusals
            if one["device"] == device.device and one["document"] == envelope.digest
        ]

    found = await stage.auditor.wait_for("/refusals", named, within_s=_SEEN_S)
    check(found == [refusal.value], f"refused because of {found}, not {refusal.value}")
    page = await stage.auditor.page("/log/refusals")
    check(f"<code>{refusal.value}</code>" in page and device.name in page, "the page of refusals does not name it")
