"""The Jinja environment: templates of every capability, filters for Vietnamese readers, gettext."""

from __future__ import annotations

from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from controller.web.formats import FILTERS
from controller.web.i18n import gettext, ngettext

PACKAGE = Path(__file__).parents[1]


def set_up_templates(app: web.Application) -> jinja2.Environment:
    """Loads `controller/<capability>/templates/<capability>/*.html`."""
    folders = sorted(PACKAGE.glob("*/templates"))
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(folders),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    return environment


def environment_of(app: web.Application) -> jinja2.Environment:
    """The environment, for a capability that adds its own filters."""
    return aiohttp_jinja2.get_env(app)
