"""What happens to clients: a card is opened, an address is added."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock
from services.clients.contacts import normalised
from services.clients.models import Client, ClientContact, Company
from services.clients.queries import by_contact
from services.forms import FormInvalid
from services.texts import one_line


def client_for_contact(session: Session, kind: str, value: str, name: str = "") -> Client:
    """The client with that address; an unknown one gets a new card.

    Two messages that arrive at once from one new address meet on one card.
    """
    found = by_contact(session, kind, value)
    if found is not None:
        return found
    try:
        with session.begin_nested():
            client = create_client(session, name or value)
            session.add(ClientContact(client=client, kind=kind, value=normalised(kind, value)))
        return client
    except IntegrityError:
        found = by_contact(session, kind, value)
        if found is None:
            raise
        return found


def create_client(session: Session, name: str, *, company: Company | None = None, position: str = "") -> Client:
    """A new card without addresses."""
    client = Client(
        name=one_line(name, 200) or "Без имени",
        position=one_line(position, 200),
        company=company,
        category=None,
        contacts=[],
        created_at=clock.now(),
    )
    session.add(client)
    session.flush()
    return client


def add_contact(session: Session, client: Client, kind: str, value: str) -> ClientContact:
    """Another address of the client; one that belongs to somebody else is refused with FormInvalid."""
    clean = normalised(kind, value)
    owner = by_contact(session, kind, clean)
    if not clean:
        raise FormInvalid({kind: "Заполните это поле"})
    if owner is not None and owner.id != client.id:
        raise FormInvalid({kind: f"Этот адрес уже у клиента «{owner.name}»"})
    contact = ClientContact(client=client, kind=kind, value=clean)
    session.add(contact)
    session.flush()
    return contact
