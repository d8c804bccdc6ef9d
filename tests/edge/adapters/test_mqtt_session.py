"""One MQTT connection on brokers that are slower than the agent's patience."""

from __future__ import annotations

import asyncio
from typing import Any

import aiomqtt

from edge.adapters.mqtt_session import Session


async def test_connection_called_off_before_the_welcome_is_hung_up_quietly() -> None:
    """Found by 10,000 agents on two cores: the broker's welcome was late, and the call-off left the socket behind."""
    opened, hung_up = asyncio.Event(), asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        opened.set()
        while await reader.read(100):
            pass
        hung_up.set()
        writer.close()

    unexplained: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unexplained.append(context))
    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = int(server.sockets[0].getsockname()[1])
        will = aiomqtt.Will("gone", b"0")
        session = Session(
            "127.0.0.1", port, identifier="dev-1", password="x", will=will, keepalive_s=30, timeout_s=20
        )
        opening = asyncio.create_task(session.open())
        async with asyncio.timeout(5):
            await opened.wait()
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            for task in [one for one in asyncio.all_tasks() if "__aenter__" in repr(one)]:
                task.cancel()
            await hung_up.wait()
    assert unexplained == []
