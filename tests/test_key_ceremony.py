"""The guide of the key ceremony, typed as it stands: machines are directories, prompts are answered at a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from protocol.grants import read_anchor
from provisioning.grant_files import read_envelope, read_grant
from tests.controller.running import Person

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

GUIDE: Final = Path(__file__).parent.parent / "docs" / "key_ceremony.md"
_MARKED: Final = re.compile(r"^```sh (\w+)\n(.*?)^```$|^<!-- by hand: (\w+) -->$", re.DOTALL | re.MULTILINE)
_PASSPHRASE: Final = "sen-lua-trau-47"
_ANSWERS: Final = {
    re.compile(rb"[Pp]assphrase[^\n]*: ?$"): _PASSPHRASE,
    re.compile(rb"\[y/N\]: ?$"): "y",
    re.compile("Type “yes” to sign: ?$".encode()): "yes",
}
_BLOCK_S_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Step:
    """A block with the machine on which it is typed, or what people do in pages."""

    machine: str
    text: str


def steps(page: Path) -> list[Step]:
    """Everything marked, in its order."""
    found = _MARKED.finditer(page.read_text())
    return [Step(one[1], one[2]) if one[1] else Step("by hand", one[3]) for one in found]


class Room:
    """Machines as directories, a stick between them, and someone who types."""

    def __init__(self, directory: Path, prologue: str) -> None:
        self.directory, self._prologue = directory, prologue
        self.stick = directory / "stick"
        self.stick.mkdir()
        pages, devices, mqtt = _free_ports(3)
        self.controller = f"http://127.0.0.1:{pages}"
        given = {
            "STICK": self.stick,
            "CONTROLLER": self.controller,
            "DEVICES": f"https://127.0.0.1:{devices}",
            "PAGES_PORT": pages,
            "DEVICES_PORT": devices,
            "MQTT_PORT": mqtt,
            "DEVICE_HOST": "127.0.0.1",
            "LOALANG_LANG": "en",
            "COLUMNS": 200,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self._environment = {**os.environ, **{name: str(value) for name, value in given.items()}}
        self._environment.pop("LOALANG_PASSPHRASE", None)

    def type(self, step: Step) -> str:
        """Types a block on its machine and answers what is asked; gives what was shown.

        Raises:
            AssertionError: a command did not work.
        """
        place = self.directory / step.machine
        place.mkdir(exist_ok=True)
        ours, theirs = pty.openpty()
        typed = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", self._prologue + step.text],
            cwd=place,
            env=self._environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        shown = _sit_there(ours, typed)
        code = typed.wait(10)  # before its terminal is taken away
        os.close(ours)
        assert code == 0, f"{step.machine}: {step.text}\n{shown}"
        return shown

    def stop(self) -> None:
        """Ends the controller."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.directory / "controller" / "controller.pid").read_text()), signal.SIGTERM)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


def _sit_there(terminal: int, typed: subprocess.Popen[bytes]) -> str:
    shown, since, ends = b"", 0, time.monotonic() + _BLOCK_S_MAX
    while time.monotonic() < ends:
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # Linux says so when nobody holds the other end any more
                break
        elif typed.poll() is not None:
            break
        answer = _answer(shown[since:], hidden=not termios.tcgetattr(terminal)[3] & termios.ECHO)
        if answer is not None:
            since = len(shown)
            os.write(terminal, answer.encode() + b"\n")
    else:
        typed.kill()
    return shown.decode(errors="replace")


def _answer(asked: bytes, *, hidden: bool) -> str | None:
    """A passphrase is typed only when nobody can read it: what is typed before is thrown away."""
    for question, answer in _ANSWERS.items():
        if question.search(asked) and hidden == (answer == _PASSPHRASE):
            return answer
    return None


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    prologue = "".join(step.text for step in steps(GUIDE) if step.machine == "every")
    made = Room(tmp_path, prologue)
    yield made
    made.stop()


async def person(room: Room, login: str, password: str, browsers: list[aiohttp.ClientSession]) -> Person:
    session = aiohttp.ClientSession(room.controller, cookie_jar=aiohttp.CookieJar(unsafe=True))
    browsers.append(session)
    return await Person(session, room.controller).sign_in(login, password)


async def register(room: Room, technician: Person) -> None:
    """What the technician does on the page of new devices."""
    body = {"id": "ke-sach-01", "place": "vn/92/31528/c01", "name": "Ấp An Ninh 1"}
    body["certificate"] = (room.stick / "device.pem").read_text()
    await technician.call("POST", "/devices", body, status=201)


async def compose(room: Room, operator: Person) -> None:
    """What the operator does on the page of emergencies; the file is the one that the page saves."""
    body = {"kind": "test", "targets": ["vn/92/31528"], "text": "Đây là bản tin thử."}
    made = await operator.call("POST", "/alerts", body, status=201)
    fields = {"controller": room.controller, "kind": made["kind"], "payload": made["payload"], "envelope": ""}
    (room.stick / "request.json").write_text(json.dumps(fields))


async def new_operator(technician: Person) -> str:
    fields = {"login": "xa-lan", "name": "Nguyễn Thị Lan", "role": "operator", "unit": "vn/92/31528"}
    answer = await technician.send("/accounts", fields)
    return answer.told.split("“")[2].partition("”")[0]


async def by_hand(room: Room, what: str) -> None:
    """Does in pages what the guide says in words."""
    browsers: list[aiohttp.ClientSession] = []
    told = (room.directory / "controller" / "first-account.txt").read_text()
    try:
        technician = await person(room, "ky-thuat", told.split()[-1], browsers)
        if what == "register":
            await register(room, technician)
        else:
            await compose(room, await person(room, "xa-lan", await new_operator(technician), browsers))
    finally:
        for one in browsers:
            await one.close()


async def authority(room: Room) -> dict[str, int]:
    """The holders of grants in force, with their epochs, as the controller tells every signer."""
    async with aiohttp.ClientSession(room.controller) as session:
        packed = (await (await session.get("/api/v1/authority")).json())["envelopes"]
    found = {}
    for number, one in enumerate(packed):
        path = room.directory / f"told-{number}.json"
        path.write_text(one)
        envelope = read_envelope(path)
        if envelope.kind == "grant":
            grant = read_grant(envelope)
            found[grant.holder] = grant.epoch
    return found


async def test_guide_can_be_followed(room: Room) -> None:
    """From the first key to a new anchor; what each chapter promises is looked at on the way."""
    shown: dict[str, str] = {}
    for step in steps(GUIDE):
        if step.machine == "by hand":
            await by_hand(room, step.text)
        elif step.machine != "every":
            said = room.type(step)
            assert "refused" not in said, said
            shown[step.text] = said
            if "--holder anchor" in step.text:
                stolen = await authority(room)
            if "post office.json" in step.text:
                after = await authority(room)
    checked = next(said for text, said in shown.items() if "provisioning check" in text)
    assert "assignment, grant" in checked and "✗" not in checked
    assert any("alert-test" in said and "accepted" in said for said in shown.values())
    assert "Operator xa-lan" not in stolen and stolen["Operator xa-be"] == 1
    assert after["People's Committee"] == 1
    assert after["Communication centre"] == after["Emergency desk"] == 0  # renewed without the stolen key
    pinned = read_anchor((room.directory / "commune" / "signer-data" / "anchor.json").read_bytes())
    assert pinned == read_anchor((room.directory / "office" / "anchor-2.json").read_bytes())


def test_both_languages_type_the_same() -> None:
    vietnamese = GUIDE.with_name("key_ceremony.vi.md")
    assert steps(vietnamese) == steps(GUIDE)
