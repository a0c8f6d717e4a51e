"""Reading clients: who has this address, who matches this word."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from services.clients.contacts import normalised
from services.clients.models import Client, ClientContact, Company


def by_contact(session: Session, kind: str, value: str) -> Client | None:
    """The client with that address."""
    found = select(Client).join(ClientContact).where(ClientContact.kind == kind)
    return session.scalar(found.where(ClientContact.value == normalised(kind, value)))


def find_clients(session: Session, query: str = "", limit: int = 50) -> Sequence[Client]:
    """Clients whose name, company or address contains the text, by name."""
    found = select(Client).options(selectinload(Client.contacts)).order_by(Client.name, Client.id).limit(limit)
    text = query.strip()
    if text:
        # a database lowers Cyrillic letters only if it was told the language, so both spellings are tried
        spellings = {text, text.lower(), text.capitalize(), text.title()}
        contacts = select(ClientContact.client_id).where(ClientContact.value.contains(text.lower(), autoescape=True))
        companies = [Company.name.contains(s, autoescape=True) for s in spellings]
        names = [Client.name.contains(s, autoescape=True) for s in spellings]
        found = found.where(
            or_(*names, Client.company_id.in_(select(Company.id).where(or_(*companies))), Client.id.in_(contacts))
        )
    return session.scalars(found).all()


def company_by_name(session: Session, name: str) -> Company | None:
    """The company of that name, whatever the case of its Latin letters."""
    return session.scalar(select(Company).where(func.lower(Company.name) == func.lower(name.strip())))


def contact(client: Client, kind: str) -> str:
    """The client's oldest address of that kind; "" if none."""
    return next((c.value for c in sorted(client.contacts, key=lambda c: c.id) if c.kind == kind), "")


def category_name(client: Client | None) -> str:
    """Стандарт, VIP …: the client's own category, else the company's, else none."""
    if client is None:
        return ""
    category = client.category or (client.company.category if client.company else None)
    return category.name if category else ""
