"""The two sockets of a panel page: its line (state down, touches and voice up) and its loudspeaker (sound down).

When the line breaks while somebody talks, the talk button goes up: a closed page never leaves a microphone open.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from edge.ports import FRAME_BYTES
from protocol.limits import MESSAGES_MAX
from simulators.face import Face, NetworkWeather, PanelDevice, StationWeather, TalkSource

LOOK_S = 0.2
MESSAGE_BYTES_MAX = 64 * 1024

_log = logging.getLogger(__name__)

Act = Callable[[PanelDevice, dict[str, Any]], Awaitable[None]]


async def serve_line(request: web.Request, device: PanelDevice) -> web.WebSocketResponse:
    """Shows the panel and takes touches until the page goes away."""
    socket = web.WebSocketResponse(heartbeat=10, max_msg_size=MESSAGE_BYTES_MAX)
    await socket.prepare(request)
    showing = asyncio.create_task(_show(socket, device))
    hand = _Hand(device)
    try:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                hand.speak(message.data)
            elif message.type is WSMsgType.TEXT:
                await hand.touch(message.data)
    finally:
        showing.cancel()
        await hand.let_go()
    return socket


async def _show(socket: web.WebSocketResponse, device: PanelDevice) -> None:
    shown: Face | None = None
    while not socket.closed:
        face = device.face()
        if face != shown:
            await socket.send_json(dataclasses.asdict(face))
            shown = face
        await asyncio.sleep(LOOK_S)


class _Hand:
    """One page's hand on the panel: what it pressed it lets go."""

    def __init__(self, device: PanelDevice) -> None:
        self._device = device
        self._pressing = False

    def speak(self, frame: bytes) -> None:
        if self._pressing and len(frame) == FRAME_BYTES:
            self._device.hear_voice(frame)

    async def touch(self, text: str) -> None:
        try:
            message = json.loads(text)
            act = _ACTS[message["act"]]
            await act(self._device, message)
        except (ValueError, KeyError, TypeError) as error:
            _log.info("a panel page sent something else than a touch: %s", error)
            return
        if message["act"] == "talk":
            self._pressing = bool(message["on"])

    async def let_go(self) -> None:
        if self._pressing:
            await self._device.release()


async def _talk(device: PanelDevice, message: dict[str, Any]) -> None:
    if message["on"]:
        await device.talk(TalkSource(message["source"]))
    else:
        await device.release()


async def _key(device: PanelDevice, message: dict[str, Any]) -> None:
    device.turn_key(bool(message["on"]))


async def _stop(device: PanelDevice, _message: dict[str, Any]) -> None:
    await device.press_stop()


async def _message(device: PanelDevice, message: dict[str, Any]) -> None:
    number = message["number"]
    if type(number) is not int or not 1 <= number <= MESSAGES_MAX:
        raise ValueError(f"no message button has the number {number}")
    await device.press_message(number)


async def _network(device: PanelDevice, message: dict[str, Any]) -> None:
    await device.set_network(NetworkWeather(message["to"]))


async def _power(device: PanelDevice, message: dict[str, Any]) -> None:
    await device.set_power(bool(message["on"]))


async def _computer(device: PanelDevice, message: dict[str, Any]) -> None:
    await device.set_hung(not message["on"])


async def _station(device: PanelDevice, message: dict[str, Any]) -> None:
    device.set_station(StationWeather(message["to"]))


async def _stick(device: PanelDevice, _message: dict[str, Any]) -> None:
    await device.plug_stick()


_ACTS: dict[str, Act] = {
    "talk": _talk,
    "key": _key,
    "stop": _stop,
    "message": _message,
    "network": _network,
    "power": _power,
    "computer": _computer,
    "station": _station,
    "stick": _stick,
}


async def serve_listener(request: web.Request, device: PanelDevice) -> web.WebSocketResponse:
    """Sends what the loudspeaker sounds, frame by frame, until the page goes away."""
    if not device.full_sound:
        raise web.HTTPNotFound(text="This device is simulated without sound.")
    socket = web.WebSocketResponse(heartbeat=10, max_msg_size=1024)
    await socket.prepare(request)
    sending = asyncio.create_task(_send_sound(socket, device))
    try:
        async for _ in socket:
            pass
    finally:
        sending.cancel()
    return socket


async def _send_sound(socket: web.WebSocketResponse, device: PanelDevice) -> None:
    with device.listen() as frames:
        async for frame in frames:
            await socket.send_bytes(frame)
