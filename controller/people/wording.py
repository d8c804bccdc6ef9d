"""Names of roles as people say them."""

from __future__ import annotations

from controller.people.domain import Role
from controller.web.i18n import N_, gettext

_NAMES = {
    Role.AUTHOR: N_("Author"),
    Role.APPROVER: N_("Approver"),
    Role.OPERATOR: N_("Operator"),
    Role.TECHNICIAN: N_("Technician"),
    Role.AUDITOR: N_("Auditor"),
}
_DUTIES = {
    Role.AUTHOR: N_("writes and records bulletins"),
    Role.APPROVER: N_("checks bulletins and approves them"),
    Role.OPERATOR: N_("signs, sends emergencies and stops the loudspeakers"),
    Role.TECHNICIAN: N_("looks after devices, units and accounts"),
    Role.AUDITOR: N_("reads everything, changes nothing"),
}


def role_name(role: Role | str) -> str:
    """`Biên tập viên`."""
    return gettext(_NAMES[Role(role)])


def role_duty(role: Role | str) -> str:
    """What someone with the role does."""
    return gettext(_DUTIES[Role(role)])
