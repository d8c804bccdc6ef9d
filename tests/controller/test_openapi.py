"""The document of the programs' interface says what is served, and nothing else."""

from __future__ import annotations

import pytest
from openapi_spec_validator import validate

from controller.openapi import PREFIX
from tests.controller.running import RunningController


@pytest.mark.slow
async def test_every_api_route_is_described(controller: RunningController) -> None:
    described = await controller.stranger().call("GET", "/openapi.json")
    validate(described)
    listed = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    served = {
        (route.method, route.resource.canonical)
        for route in controller.app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith(PREFIX) and route.method != "HEAD"
    }
    assert listed == served
