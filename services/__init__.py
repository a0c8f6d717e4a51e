"""The desk: tickets, clients, lines, service levels and people, built on the engine."""
