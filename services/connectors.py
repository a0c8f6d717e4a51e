"""All connectors of the desk: importing this module registers them."""

from __future__ import annotations

from services.lines import connectors as lines
from services.notifications import connectors as notifications
from services.sla import connectors as sla
from services.tickets import connectors as tickets

CONNECTORS = (lines, notifications, sla, tickets)
