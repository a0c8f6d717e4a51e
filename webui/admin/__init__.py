"""The pages of the analyst and the administrator."""

from webui.admin import (  # noqa: F401 - each module declares its routes on the blueprint
    health,
    incidents,
    instances,
    mail,
    migrations,
    processes,
    repair,
    replays,
    sla,
    timers,
    tokens,
    versions,
)
from webui.admin.blueprint import blueprint

__all__ = ["blueprint"]
