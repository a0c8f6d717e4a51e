"""Scenarios: what people, clients and time do to a process, and what is expected of it then."""
