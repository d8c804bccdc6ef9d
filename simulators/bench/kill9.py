"""Figure `kill9`: what real processes lose when they are killed at random moments, under load.

Agents (real ones, with a light sound path), controller and broker are killed with SIGKILL and started again, half of
the rounds with mosquitto and half with the broker within the controller. Meanwhile schedules and emergencies are
signed and sent, programmes sound and are told. After each kill everything that anybody had acknowledged is looked up
in the files:

acknowledged             documents by the controller's 2xx, documents by devices' receipts, reports by the
                         controller's confirmation
lost_acknowledged        of those, what is not there; and reports that never arrived although devices had kept them
corrupt                  databases that were not whole, and processes that did not come back
recovery_p50_ms ...      from the kill until a new schedule was received by every device and the controller knew it
sent_again               reports that a device sent again although the broker had acknowledged them

The embedded broker dies with its controller, so `kills_broker` counts mosquitto. Devices come back sooner than in the
field (0.2 to 1 s instead of 1 to 300 s) and insist sooner on word of their reports, or each kill would take minutes.
`--believe-broker` shows what it would be if devices forgot a report at the broker's word.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from simulators.bench import told
from simulators.child import ChildError
from simulators.crash.killing import Plan, Toll, kill_rounds

ROUNDS: Final = 40
DEVICES: Final = 3
_TELL_MAX: Final = 20


async def measure(*, rounds: int, seed: int, devices: int, believe_broker: bool = False) -> Toll:
    """Kills in two towns, one after the other."""
    toll = Toll()
    for embedded, share in ((False, rounds - rounds // 2), (True, rounds // 2)):
        plan = Plan(share, seed, devices=devices, embedded=embedded, believe_broker=believe_broker)
        with tempfile.TemporaryDirectory(prefix="loalang-kill9-") as directory:
            try:
                await kill_rounds(Path(directory), plan, toll)
            except (ChildError, TimeoutError) as error:
                print(f"kill9: {error!r}", file=sys.stderr)
    return toll


def figures(toll: Toll) -> dict[str, told.Value]:
    """What is told of it."""
    return {
        "rounds": sum(toll.kills.values()),
        **{f"kills_{name}": toll.kills[name] for name in ("agent", "controller", "broker")},
        "acknowledged": toll.acknowledged,
        "lost_acknowledged": len(toll.findings.lost),
        "corrupt": len(toll.findings.corrupt),
        "sent_again": toll.sent_again,
        **told.spread("recovery_", toll.recovery_ms, digits=0),
    }


def main(argv: Sequence[str]) -> int:
    """Prints the figure; 1 when something was lost or corrupt."""
    parser = told.parser("kill9", __doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=1, help="draws who is killed and when")
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--believe-broker", action="store_true", help="devices forget at the broker's word")
    options = parser.parse_args(argv)
    if not 1 <= options.rounds <= 10_000 or not 1 <= options.devices <= 50:
        parser.error("rounds 1 to 10000, devices 1 to 50")
    work = measure(
        rounds=options.rounds,
        seed=options.seed,
        devices=options.devices,
        believe_broker=options.believe_broker,
    )
    try:
        toll = asyncio.run(work)
    except (RuntimeError, OSError) as error:
        print(f"kill9: {error!r}", file=sys.stderr)
        return 1
    for one in sorted(toll.findings.lost | toll.findings.corrupt)[:_TELL_MAX]:
        print(f"kill9: {one}", file=sys.stderr)
    told.tell({**told.ground("aiomqtt", "aiohttp", "amqtt"), **figures(toll)}, as_json=options.json)
    return int(bool(toll.findings.lost or toll.findings.corrupt))
