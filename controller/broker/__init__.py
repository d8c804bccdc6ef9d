"""The way to the devices: an MQTT broker inside this process, or one outside, and the controller's own connections.

The embedded broker (amqtt) serves a demo, tests and up to about a thousand devices. It keeps its sessions in memory:
after a restart the controller publishes again what is in force, and an alert that is still running reaches devices by
HTTP (`/device/v1/documents`). Beyond that, run mosquitto and start the controller with `--broker mqtt://host:port`;
then the controller is a client like any other.

Nothing here authorises sound: a taken broker can delay and silence, never make a loudspeaker speak. The rights below
keep devices from reading and writing each other's reports.

With a device CA (`--device-tls`) the embedded broker listens by mutual TLS: the certificate says which device it is,
its fingerprint must be the registered one, and no password is asked. The controller itself has a plain way of its own
on 127.0.0.1 with a secret of the day. Without a device CA, devices come with their token, from this machine only.

How to set up mosquitto 2 (`/etc/mosquitto/conf.d/loalang.conf`), with the three files that
`provisioning device-ca server-certificate` writes:

    per_listener_settings true
    persistence true
    autosave_interval 1
    persistent_client_expiration 30d
    max_packet_size 1100000
    max_queued_messages 200
    set_tcp_nodelay true

    listener 1883 127.0.0.1
    allow_anonymous false
    password_file /etc/mosquitto/loalang.passwords
    acl_file /etc/mosquitto/loalang.acl

    listener 8883
    cafile /etc/mosquitto/loalang/ca.pem
    certfile /etc/mosquitto/loalang/server.pem
    keyfile /etc/mosquitto/loalang/server-key.pem
    crlfile /etc/mosquitto/loalang/device-ca.crl
    require_certificate true
    use_identity_as_username true
    use_username_as_clientid true
    allow_anonymous false
    acl_file /etc/mosquitto/loalang.acl

`autosave_interval 1` keeps queued alerts across a kill; `set_tcp_nodelay` saves 40 ms on small messages. Only the
controller has a password (`mosquitto_passwd -b /etc/mosquitto/loalang.passwords controller SECRET`), on a listener
where the user name is not the client id, because it keeps three connections:
`--broker mqtt://controller:secret@127.0.0.1:1883`. With the broker on another machine the controller uses
`--broker mqtts://broker:8884` and a third listener like the second, without `use_username_as_clientid`; it shows the
server certificate of `--device-tls`, so its user name is `controller.loalang.internal`. The access list:

    user controller
    topic readwrite loalang/v1/#

    user controller.loalang.internal
    topic readwrite loalang/v1/#

    pattern write loalang/v1/d/%u/up/#
    pattern read loalang/v1/d/%u/stored
    pattern read loalang/v1/u/#

mosquitto's patterns cannot name the units above a device, so there a device may read other units' signed documents.
They are public by nature: they are meant for loudspeakers. Nor does mosquitto ask the controller who is registered: a
device that was shut out on its page stays on this broker until its certificate is on the revocation list
(`provisioning device-ca revocation-list`, then a restart of the broker, which also ends the connection that stands).
"""
