"""What lies on a USB stick, by name: the way of documents into a village without a network, and of logs out of it.

loalang-bundle.json     a parcel of signed documents (protocol/parcel.py)
media/<digest>          programmes, named by their SHA-256
loalang-root/           TUF metadata and targets
loalang-logs/           a device writes its sealed log here, if this directory exists
"""

from __future__ import annotations

from typing import Final

BUNDLE: Final = "loalang-bundle.json"
MEDIA: Final = "media"
ROOT: Final = "loalang-root"
LOGS: Final = "loalang-logs"
SEALED_SUFFIX: Final = ".sealed"

STICK_BYTES_MAX: Final = 4 * 1024 * 1024 * 1024
"""A device takes no more programmes than this from one stick; a bundle is never made larger."""
LOG_BYTES_MAX: Final = 32 * 1024 * 1024
"""Of one sealed log, before it is sealed."""
LOG_LINE_BYTES_MAX: Final = 2 * 1024 * 1024
"""Of one line within it; the longest is the record of a parcel that was received."""
