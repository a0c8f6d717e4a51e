"""Every table of the desk and of the engine, imported so that the metadata is complete."""
# ruff: noqa: F401 - importing is the purpose

import engine.models
import services.access.models
import services.catalog.models
import services.clients.models
import services.lines.models
import services.notifications.models
import services.people.models
import services.replay.models
import services.sla.models
import services.tickets.models
