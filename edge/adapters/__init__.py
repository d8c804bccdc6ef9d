"""The real world behind the ports: MQTT, HTTP, disk."""
