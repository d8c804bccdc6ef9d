"""ALSA without a sound card: its own `file` and `null` plug-ins, in a configuration made for the moment.

What is played into `loa_file` is written to a file, what `loa_input` hears comes from one. Neither keeps time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PLAYED: Final = "played.raw"
SAID: Final = "said.raw"
_VARIABLE: Final = "ALSA_CONFIG_PATH"
_CONFIGURATION: Final = """
</usr/share/alsa/alsa.conf>
pcm.loa_null {{ type null }}
pcm.loa_file {{ type file slave.pcm {{ type null }} file "{played}" format "raw" }}
pcm.loa_input {{ type file slave.pcm {{ type null }} file "/dev/null" infile "{said}" format "raw" }}
pcm.loa_two {{ type multi slaves.a.pcm {{ type null }} slaves.a.channels 2
    bindings.0 {{ slave a channel 0 }} bindings.1 {{ slave a channel 1 }} }}
pcm.loa_stereo {{ type file slave.pcm loa_two file "{played}" format "raw" }}
"""


@contextmanager
def alsa_plugins(folder: Path, *, said: bytes = b"") -> Iterator[Path]:
    """Makes ALSA know `loa_null`, `loa_file`, `loa_input` and `loa_stereo`, which takes two channels and no fewer.

    Args:
        said: what `loa_input` hears, from each opening on; at its end ALSA repeats the last 200 ms for ever.

    Returns:
        The file of what was played, in the samples of the device; complete when that is closed.
    """
    played = folder / PLAYED
    (folder / SAID).write_bytes(said)
    configuration = folder / "asoundrc"
    configuration.write_text(_CONFIGURATION.format(played=played, said=folder / SAID))
    former = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = str(configuration)
    try:
        yield played
    finally:
        if former is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = former
