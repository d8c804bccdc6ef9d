"""One registry for `/api/v1`: a route is added together with its description, and the OpenAPI document is made of it.

add_api(app, ApiRoute("GET", "/devices/{device}", show_device, summary="One device", response=record(id=TEXT)))
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from controller.web.guard import public

PREFIX = "/api/v1"
Schema = Mapping[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
WALL_MS: Schema = {"type": "integer", "description": "milliseconds since 1970-01-01T00:00:00Z"}


def record(*, optional: Mapping[str, Schema] | None = None, **required: Schema) -> Schema:
    """An object with these properties."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": sorted(required)}


def listing(item: Schema) -> Schema:
    """An array of these."""
    return {"type": "array", "items": item}


def nullable(schema: Schema) -> Schema:
    """This or null."""
    return {"anyOf": [schema, {"type": "null"}]}


ERROR = record(error=record(code=TEXT, message=TEXT))


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """A route and what it takes and gives.

    Attributes:
        path: below `/api/v1`, with `{name}` for each part that varies.
        request: schema of the JSON body, or None when there is none.
        response: schema of the JSON answer, or None for an empty answer.
        query: schema of each query parameter; all are optional.
        body_type: media type of the request body.
        open: whether it needs no session, because what is sent authorises itself.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    request: Schema | None = None
    response: Schema | None = None
    status: int = 200
    query: Mapping[str, Schema] = field(default_factory=dict)
    body_type: str = "application/json"
    open: bool = False


API: web.AppKey[list[ApiRoute]] = web.AppKey("api_routes")


def add_api(app: web.Application, *routes: ApiRoute) -> None:
    """Serves the routes and describes them."""
    for route in routes:
        if route.open:
            public(route.handler)
        app.router.add_route(route.method, PREFIX + route.path, route.handler)
        app[API].append(route)


def set_up_openapi(app: web.Application) -> None:
    """Makes the registry and serves its document."""
    app[API] = []
    summary = "This document"
    add_api(app, ApiRoute("GET", "/openapi.json", serve_document, summary=summary, response={}, open=True))


async def serve_document(request: web.Request) -> web.Response:
    """The OpenAPI 3.1 document."""
    return web.json_response(document(request.app[API]))


def document(routes: list[ApiRoute]) -> dict[str, Any]:
    """Describes all routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Loa Làng controller", "version": "1", "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "loalang_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }


def _operation(route: ApiRoute) -> dict[str, Any]:
    named = re.findall(r"\{(\w+)", route.path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in named]
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in route.query.items()]
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "parameters": parameters,
        "responses": {str(route.status): _answer(route), "default": _failure()},
    }
    if route.request is not None:
        operation["requestBody"] = {"required": True, "content": {route.body_type: {"schema": route.request}}}
    if not route.open:
        operation["security"] = [{"session": []} if route.method == "GET" else {"session": [], "csrf": []}]
    return operation


def _answer(route: ApiRoute) -> dict[str, Any]:
    if route.response is None:
        return {"description": "Done"}
    return {"description": "Done", "content": {"application/json": {"schema": route.response}}}


def _failure() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": "What is wrong and what to do", "content": content}
