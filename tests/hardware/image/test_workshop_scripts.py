"""What the workshop does as root, with other folders in its place and mounts that only note what was asked."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from hardware.errors import BoardError
from hardware.workshop.errand import Errands

SCRIPTS: Final = Path(__file__).parents[3] / "hardware/image/workshop"
IDENTITY: Final = "../storage/identity"
KEY: Final = bytes(range(32))
PROGRAMS: Final = {
    "mount": 'echo "mount $*" >>"$NOTES"\n[ ! -e "$ROOM/read-only" ]',
    "mountpoint": '[ -e "$ROOM/stick-is-there" ]',
    "findmnt": 'case $* in *FSTYPE*) cat "$ROOM/kind" ;; *) cat "$ROOM/options" ;; esac',
    "systemctl": 'echo "systemctl $*" >>"$NOTES"',
    "blkid": "echo /dev/mmcblk0p3",
    "e2fsck": "true",
    "chown": "true",
    "install": 'while [ $# -gt 2 ]; do shift; done\ncp "$1" "$2"',
}
"""`install` may give a file away only as root."""


class Room:
    """Folders that stand for those of a card."""

    def __init__(self, path: Path) -> None:
        self.path, self.notes = path, path / "notes"
        for one in ("boot", "etc", "stick", "run", "bin"):
            (path / one).mkdir()
        for name, text in PROGRAMS.items():
            program = path / "bin" / name
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        self.notes.touch()
        self.write("kind", "ext4")
        self.write("options", "ro,nosuid")

    def write(self, name: str, text: str = "") -> Path:
        one = self.path / name
        one.write_text(text)
        return one

    def run(self, script: str, given: bytes = b"", *arguments: str) -> tuple[int, str]:
        """Exit code and what was printed."""
        text = (SCRIPTS / script).read_text()
        for ours, here in {
            "/boot/firmware": "boot",
            "/etc/loalang": "etc",
            "/media/loalang": "stick",
            "/run/": "run/",
        }.items():
            text = text.replace(ours, f"{self.path}/{here}")
        done = subprocess.run(
            ["/bin/sh", "-c", text, script, *arguments],
            input=given,
            capture_output=True,
            check=False,
            timeout=30,
            env=self.around,
        )
        return done.returncode, done.stdout.decode()

    @property
    def around(self) -> dict[str, str]:
        path = f"{self.path}/bin:{os.environ['PATH']}"
        return os.environ | {"PATH": path, "NOTES": str(self.notes), "ROOM": str(self.path)}

    @contextmanager
    def errands(self) -> Iterator[Errands]:
        """The socket at which systemd waits, for one errand after the other."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(str(self.path / "s"))
            listening.listen()
            serving = threading.Thread(target=self._serve, args=(listening,), daemon=True)
            serving.start()
            yield Errands(self.path / "s")
            listening.shutdown(socket.SHUT_RDWR)
        serving.join(5)

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line:
                given = b""
                while more := line.recv(65_536):
                    given += more
                line.sendall(self.run("errand", given)[1].encode())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.mark.parametrize("name", ["loalang-workshop", "Loalang-workshop.txt"])
def test_file_is_taken_before_the_workshop_opens(room: Room, name: str) -> None:
    (room.path / "run/loalang-workshop").mkdir()
    room.write(f"boot/{name}")
    room.write("boot/config.txt", "kept")
    assert room.run("open")[0] == 0
    assert [one.name for one in (room.path / "boot").iterdir()] == ["config.txt"]
    assert (room.path / "run/loalang-workshop/open").exists()
    boot = room.path / "boot"
    assert room.notes.read_text().splitlines() == [f"mount -o remount,{way} {boot}" for way in ("rw", "ro")]


def test_folder_is_as_good_as_a_file(room: Room) -> None:
    (room.path / "run/loalang-workshop").mkdir()
    (room.path / "boot/loalang-workshop").mkdir()
    assert room.run("open")[0] == 0
    assert not list((room.path / "boot").iterdir())


def test_workshop_that_would_come_back_stays_shut(room: Room) -> None:
    """A card that cannot be written any more: the loudspeaker goes before the workshop."""
    (room.path / "run/loalang-workshop").mkdir()
    room.write("boot/loalang-workshop")
    rm = room.write("bin/rm", "#!/bin/sh\nexit 1\n")
    rm.chmod(0o755)
    code, said = room.run("open")
    assert code == 1 and "stays shut" in said
    assert not (room.path / "run/loalang-workshop/open").exists()


def test_closing_stops_the_menus_before_the_agent_starts(room: Room) -> None:
    (room.path / "run/loalang-workshop").mkdir()
    mark = room.write("run/loalang-workshop/open")
    assert room.run("close")[0] == 0
    assert not mark.exists()
    stopped, started = room.notes.read_text().splitlines()
    assert "stop loalang-workshop@*.service" in stopped
    assert started == "systemctl --no-block start loalang-agent.service"


@pytest.mark.slow
def test_forgotten_workshop_closes(room: Room) -> None:
    code, said = room.run("watch", b"", "1", str(room.path / "keys"), "0.2")
    assert code == 0 and "nobody was here" in said


@pytest.mark.slow
def test_workshop_stays_open_while_somebody_types(room: Room) -> None:
    keys = room.write("keys", "0")
    command = ["/bin/sh", str(SCRIPTS / "watch"), "2", str(keys), "0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as watch:
        for number in range(8):
            time.sleep(0.5)
            keys.write_bytes(b"%d\0\xff" % number)
            assert watch.poll() is None
        assert watch.wait(15) == 0


@pytest.mark.slow
def test_key_of_the_guardian_is_kept_once(room: Room) -> None:
    with room.errands() as errands:
        errands.keep_key(KEY)
        assert bytes.fromhex((room.path / "etc/guardian.key").read_text()) == KEY
        with pytest.raises(BoardError, match="there is a key already"):
            errands.keep_key(bytes(32))
    assert bytes.fromhex((room.path / "etc/guardian.key").read_text()) == KEY
    etc = room.path / "etc"
    assert room.notes.read_text().splitlines() == [f"mount -o remount,{way} {etc}" for way in ("rw", "ro")]


@pytest.mark.slow
@pytest.mark.parametrize(("brought", "kept"), [(None, "old"), ("new", "new")])
def test_enrolling_anew_leaves_the_key_of_the_guardian(room: Room, brought: str | None, kept: str) -> None:
    room.write("etc/guardian.key", "old")
    room.write("etc/device.json", "{}")
    room.write("etc/token", "of the old device")
    (room.path / "boot/loalang").mkdir()
    room.write("boot/loalang/device.json", '{"device": "c08"}')
    if brought:
        room.write("boot/loalang/guardian.key", brought)
    code, said = room.run(IDENTITY)
    assert code == 0 and "was taken" in said
    assert (room.path / "etc/guardian.key").read_text() == kept
    assert json.loads((room.path / "etc/device.json").read_text())["device"] == "c08"
    assert {one.name for one in (room.path / "etc").iterdir()} == {"guardian.key", "device.json"}
    assert not list((room.path / "boot").iterdir())


@pytest.mark.slow
def test_key_that_cannot_last_is_not_handed_over(room: Room) -> None:
    with room.errands() as errands:
        room.write("kind", "tmpfs")
        with pytest.raises(BoardError, match="lost with the power"):
            errands.keep_key(KEY)
        room.write("kind", "ext4")
        room.write("read-only")
        with pytest.raises(BoardError, match="worn out"):
            errands.keep_key(KEY)
    assert not list((room.path / "etc").iterdir())


def test_rubbish_in_the_place_of_a_key_is_replaced(room: Room) -> None:
    room.write("etc/guardian.key", "rubbish")
    assert room.run("errand", b"key guardian\n" + KEY.hex().encode() + b"\n") == (0, "ok\n")
    assert (room.path / "etc/guardian.key").read_text() == KEY.hex() + "\n"


@pytest.mark.slow
def test_report_goes_onto_the_stick_if_there_is_one(room: Room) -> None:
    with room.errands() as errands:
        assert errands.save_report("c07-1", b"{1}") == ("card", "loalang-selftest-c07-1.json")
        room.write("stick-is-there")
        assert errands.save_report("c07-2", b"{2}") == ("stick", "loalang-selftest-c07-2.json")
        assert errands.save_report("c07-3", b"x" * 262_144)[0] == "stick"
        for name, report in (("../x", b""), ("", b""), ("X", b""), ("x", b"x" * 262_145)):
            with pytest.raises(BoardError):
                errands.save_report(name, report)
    assert (room.path / "boot/loalang-selftest-c07-1.json").read_bytes() == b"{1}"
    assert (room.path / "stick/loalang-selftest-c07-2.json").read_bytes() == b"{2}"
    assert [one.split(",")[1].split()[0] for one in room.notes.read_text().splitlines()] == ["rw", "ro"] * 3


def test_stick_that_was_writable_stays_so(room: Room) -> None:
    room.write("stick-is-there")
    room.write("options", "rw,nosuid")
    assert room.run("errand", b"report a\n{}")[1].startswith("ok stick")
    assert "remount,ro" not in room.notes.read_text()


def test_link_on_a_stick_is_not_followed(room: Room) -> None:
    target = room.write("etc/board.json", "{}")
    room.write("stick-is-there")
    (room.path / "stick/loalang-selftest-a.json").symlink_to(target)
    room.run("errand", b"report a\nrubbish")
    assert target.read_text() == "{}"
    assert (room.path / "stick/loalang-selftest-a.json").read_text() == "rubbish"


def test_leaving_starts_the_computer_anew(room: Room) -> None:
    assert room.run("errand", b"leave now\n") == (0, "ok\n")
    assert room.notes.read_text() == "systemctl --no-block reboot\n"


@pytest.mark.slow
def test_helper_does_nothing_with_rubbish(room: Room) -> None:
    dice = random.Random(5)
    rubbish = [
        b"", b"\n", b"leave", b"leave now; reboot\n", b"key\n", b"key guardian\n",
        b"key guardian\n" + b"0" * 63 + b"\n",
        b"key guardian\n" + b"0" * 64 + b"\n" + b"0" * 64 + b"\n", b"report \n", b"report ../../etc/x\n{}",
        b"report $(reboot)\n", b"report a b\n", b"report a\n" + b"x" * 400_000, b"\0" * 1000, b"x" * 1_000_000,
        *(dice.randbytes(dice.randrange(300)) for _ in range(20)),
    ]  # fmt: skip
    for one in rubbish:
        assert room.run("errand", one) == (0, "no malformed\n"), one[:40]
    assert not room.notes.read_text()
    assert not [*(room.path / "boot").iterdir(), *(room.path / "etc").iterdir(), *(room.path / "run").iterdir()]


def test_helper_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="does not answer"):
        Errands(tmp_path / "s").leave()


@pytest.mark.slow
@pytest.mark.parametrize("answer", [b"", b"\n", b"yes\n", b"no what\n", b"\xff" * 5000, b"no full" + b" " * 500])
def test_rubbish_from_the_helper_is_no_success(tmp_path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()

        def serve() -> None:
            line, _ = listening.accept()
            with line:
                line.sendall(answer)

        serving = threading.Thread(target=serve)
        serving.start()
        with pytest.raises(BoardError):
            Errands(tmp_path / "s").keep_key(KEY)
        serving.join()
