"""The root of trust by TUF: few, slow files that a province's offline keys vouch for.

`python -m edge.updates` is a short-lived child process: python-tuf's client and its memory live for a second every
few hours, and never inside the agent. The signer calls `client.sync` in the same way. Rules:

* what is trusted was verified against a root that enrolment wrote, by python-tuf; nothing here judges signatures;
* one role name has one parent, and one key counts once (`trusted_set`);
* every size, every count and the whole time of a call are bounded; a link or a pipe is never opened;
* files change as a whole and durably, so a power cut leaves the old or the new;
* the time by which things expire is handed in, because a device judges by the clock it believes.

Imports nothing else of the agent.
"""
