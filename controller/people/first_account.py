"""Makes the first account of an empty controller: a technician, who makes all others in the browser.

`python -m controller.people.first_account --data data --province 92 --login ky-thuat --name "Lê Quốc Việt"`
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from controller.app import present
from controller.config import Config
from controller.people.domain import HeldRole, Role, is_login
from controller.people.easy_password import easy_password
from controller.people.passwords import hash_password
from controller.people.queries import account_by_login, add_account
from controller.store.engine import migrate, open_engine, writing
from controller.units.fill import NATION, fill_province
from protocol.units import UnitPath


async def make_first(data: Path, *, province: int, login: str, name: str) -> str:
    """Fills the province's units and makes its technician; gives the password.

    Raises:
        ValueError: the login is not one, or is taken.
    """
    if not is_login(login):
        raise ValueError("a login has 3 to 32 of a-z, 0-9, dot and hyphen")
    engine = open_engine(Config(data=data).database_url)
    password = easy_password()
    hashed = await hash_password(password)
    held = (HeldRole(Role.TECHNICIAN, UnitPath(f"{NATION}/{province:02}")),)
    try:
        await migrate(engine)
        async with writing(engine) as connection:
            if await account_by_login(connection, login) is not None:
                raise ValueError(f"there is an account {login!r} already")
            await fill_province(connection, province)
            await add_account(connection, login, name=name, password_hash=hashed, held=held, at=present())
    finally:
        await engine.dispose()
    return password


def main(arguments: Sequence[str]) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m controller.people.first_account", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--province", type=int, required=True, help="official code of 2025, such as 92 for Cần Thơ")
    parser.add_argument("--login", required=True)
    parser.add_argument("--name", required=True)
    given = parser.parse_args(arguments)
    given.data.mkdir(parents=True, exist_ok=True)
    try:
        password = asyncio.run(make_first(given.data, province=given.province, login=given.login, name=given.name))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{given.login} may sign in with: {password}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
