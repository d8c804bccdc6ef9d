"""One metadata file of the root, as TUF writes it."""

from __future__ import annotations

from typing import Any, Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata
from tuf.api.serialization import DeserializationError

from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _

Made = Metadata[Any]
_FILE_BYTES_MAX: Final = 5_000_000


def read_metadata(data: bytes) -> Made:
    """Reads a metadata file.

    Raises:
        ProvisioningError: it is none.
    """
    try:
        if len(data) > _FILE_BYTES_MAX:
            raise RepositoryError(f"{len(data)} bytes")
        return Metadata.from_bytes(data)
    except (RepositoryError, DeserializationError) as error:
        raise ProvisioningError(_("This is not a file of the root: %(why)s") % {"why": error}) from error
