"""The root's files: hosted for devices and signers; what they deny counts in the controller as well.

`<data>/root/metadata/` and `<data>/root/targets/`, as `provisioning root publish` writes them, are served below
`/root/`. The controller holds no key of the root and verifies nothing: whoever fetches verifies by TUF, so a changed
file is refused there and a missing one is noticed when what is trusted ends. There is no list of the files.
"""
