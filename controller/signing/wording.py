"""What signed documents are called."""

from __future__ import annotations

from typing import Final

from controller.web.i18n import N_
from protocol.document import Kind

KINDS: Final = {
    Kind.GRANT: N_("Authority to sign"),
    Kind.SCHEDULE: N_("Schedule"),
    Kind.AUDIBLE_CONFIG: N_("Rules of the loudspeakers"),
    Kind.ALERT: N_("Emergency"),
    Kind.ALERT_DRILL: N_("Emergency drill"),
    Kind.ALERT_TEST: N_("Emergency test"),
    Kind.CANCEL: N_("End of an emergency"),
    Kind.STOP: N_("Stop now"),
    Kind.LIVE_SESSION: N_("Live broadcast"),
    Kind.ASSIGNMENT: N_("Places of loudspeakers"),
    Kind.DENIAL: N_("End of an authority"),
}
AREA: Final = N_("Signing")
DONE: Final = {
    "signing.accept": N_("a signed document came into force"),
    "signing.sign_partly": N_("a document was signed, others must sign as well"),
    "signing.refuse": N_("a signed document was refused"),
    "signing.order": N_("changed the order of priority bulletins"),
}
