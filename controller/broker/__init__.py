"""The way to the devices: an MQTT broker inside this process, or one outside, and the controller's own connections.

The embedded broker (amqtt) serves a demo, tests and up to about a thousand devices. It keeps its sessions in memory:
after a restart the controller publishes again what is in force, and an alert that is still running reaches devices by
HTTP (`/device/v1/documents`). Beyond that, run mosquitto and start the controller with `--broker mqtt://host:port`;
then the controller is a client like any other.

Nothing here authorises sound: a taken broker can delay and silence, never make a loudspeaker speak. The rights below
keep devices from reading and writing each other's reports.

How to set up mosquitto 2 (`/etc/mosquitto/conf.d/loalang.conf`):

    listener 1883 127.0.0.1
    listener 8883
    cafile /etc/mosquitto/ca.crt
    certfile /etc/mosquitto/server.crt
    keyfile /etc/mosquitto/server.key
    use_username_as_clientid true
    allow_anonymous false
    password_file /etc/mosquitto/loalang.passwords
    acl_file /etc/mosquitto/loalang.acl
    persistence true
    autosave_interval 1
    persistent_client_expiration 30d
    max_packet_size 1100000
    max_queued_messages 200
    set_tcp_nodelay true

`autosave_interval 1` keeps queued alerts across a kill; `set_tcp_nodelay` saves 40 ms on small messages. Passwords:
`mosquitto_passwd -b /etc/mosquitto/loalang.passwords <device id> <token>`, and one account `controller` whose name
and password go into the address: `--broker mqtt://controller:secret@127.0.0.1:1883`. (The controller keeps three
connections, so it needs a listener on which the user name is not the client id.) The access list:

    user controller
    topic readwrite loalang/v1/#

    pattern write loalang/v1/d/%u/up/#
    pattern read loalang/v1/u/#

mosquitto's patterns cannot name the units above a device, so there a device may read other units' signed documents.
They are public by nature: they are meant for loudspeakers.
"""
