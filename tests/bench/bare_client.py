# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor: a bare client that sends the requests of a work and nothing else. ``python bare_client.py ORDER``.

ORDER is a JSON file: ``url``, ``token`` of the account, ``devices`` as a play declares them, ``changed`` (the indexes
of those to update), ``work``, ``concurrency``. With ``work`` ``capacity`` it sends ``calls`` requests of one kind
(``path``) instead. It prints a line of JSON: ``seconds`` and ``cpu`` (seconds) of the requests, without the start of
the process.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import aiohttp

Json = dict[str, Any]


class Client:
    """Posts forms over persistent connections."""

    def __init__(self, session: aiohttp.ClientSession, order: Json) -> None:
        self._session = session
        self._url = order["url"]
        self._account = order["token"]

    async def post(self, path: str, token: str, form: Json) -> Json:
        """Send one request; a refusal ends the program."""
        async with self._session.post(self._url + path, data=form, headers={"Authorization": token}) as reply:
            body: Json = json.loads(await reply.read())
        if body["status"] is not True:
            raise SystemExit(f"{path}: {body}")
        return body

    async def tokens(self) -> dict[str, str]:
        """Return the device tokens by number."""
        body = await self.post("/get-devices", self._account, {})
        return {device["device"]: device["token"] for device in body["data"]}

    async def make(self, device: Json) -> None:
        """Create a device, and send the settings that creation does not accept."""
        added = await self.post("/add-device", self._account, {"device": device["device"], "name": device["name"]})
        await self.update(added["token"], device)

    async def update(self, token: str, device: Json) -> None:
        """Send the settings of a device."""
        await self.post("/update-device", token, form_of(device))


def form_of(device: Json) -> Json:
    """Return the form of an update."""
    return {
        "device": device["device"],
        "name": device["name"],
        "autoread": "true" if device["autoread"] else "false",
        "webhook": device["webhook"],
    }


async def side_by_side(work: Callable[[Any], Awaitable[None]], items: Iterable[Any], concurrency: int) -> None:
    """Work on items concurrently, up to a limit."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(worker() for _number in range(concurrency)))


async def carry_out(client: Client, order: Json) -> None:
    """Send the requests of a work."""
    if order["work"] == "capacity":
        await side_by_side(lambda _call: _one_call(client, order), range(order["calls"]), order["concurrency"])
        return
    tokens = await client.tokens()
    devices = order["devices"]
    if order["work"] == "make":
        await side_by_side(client.make, devices, order["concurrency"])
    elif order["work"] == "tenth":
        changed = [devices[place] for place in order["changed"]]
        await side_by_side(
            lambda device: client.update(tokens[device["device"]], device), changed, order["concurrency"]
        )


async def _one_call(client: Client, order: Json) -> None:
    await client.post(order["path"], order["with_token"], order["form"])


async def main(order: Json) -> None:
    """Send the requests, and print how long they took."""
    connector = aiohttp.TCPConnector(limit=order["concurrency"])
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        began, worked = time.perf_counter(), time.process_time()
        await carry_out(Client(session, order), order)
        print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - worked}))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as stream:
        asyncio.run(main(json.load(stream)))
