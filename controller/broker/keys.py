"""Typed keys of what the broker shares."""

from __future__ import annotations

from aiohttp import web

from controller.broker.embedded import EmbeddedBroker
from controller.broker.link import Received
from controller.broker.publisher import MqttPublisher

MQTT: web.AppKey[MqttPublisher] = web.AppKey("mqtt")
REPORT_LISTENERS: web.AppKey[list[Received]] = web.AppKey("report_listeners")
"""Called with topic, payload and the retain flag of everything a device sends; must be quick and never raise."""
EMBEDDED: web.AppKey[EmbeddedBroker] = web.AppKey("embedded_broker")
"""Missing while the broker is outside."""
