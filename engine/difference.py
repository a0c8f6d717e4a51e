"""What is different between two versions of a process: nodes, flows, buttons, forms, tables and called versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository, versions
from engine.bpmn import dmn, xml
from engine.bpmn.portrait import Facts, Item, Portrait, portrait
from engine.errors import EngineError, NotFound
from engine.models import ProcessDefinition, Resource

Kind = Literal["added", "removed", "changed"]
_ENDS = ("source", "target")
_UNTOLD = frozenset({"name", "lane", "within", "event"})
"""Of an element that came or went: its title and its place in the drawing say it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that an element says otherwise; None where it says nothing."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One element that is there in one version only, or says something else in the other."""

    kind: Kind
    what: str
    """node | flow | action | process | form | table | call"""
    id: str
    name: str
    type: str = ""
    """The BPMN element of a node or flow."""
    element_id: str | None = None
    """Where it is in the drawing."""
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs, in the order of the drawing; what was only moved is counted apart."""

    changes: tuple[Change, ...]
    moved: tuple[str, ...]
    """Ids of elements that only stand elsewhere in the picture."""

    def __bool__(self) -> bool:
        return bool(self.changes)

    def marks(self, side: Literal["before", "after"]) -> dict[str, list[str]]:
        """Element ids of that side's drawing by kind of change."""
        shown: dict[str, str] = {}
        for change in self.changes:
            if change.element_id and change.kind != ("added" if side == "before" else "removed"):
                kind = change.kind if change.what in ("node", "flow") else "changed"
                shown.setdefault(change.element_id, kind)
            elif change.element_id and change.what == "action":
                shown.setdefault(change.element_id, "changed")
        kinds = ("removed" if side == "before" else "added", "changed")
        return {kind: sorted(e for e, found in shown.items() if found == kind) for kind in kinds}


def compare_files(before: bytes, after: bytes, key: str) -> Difference:
    """The difference of the process `key` in two files. Raises XmlRefused or NotFound."""
    old, new = portrait(before, key), portrait(after, key)
    matched = _matched(old, new)
    changes = [*_of_process(old, new), *_of_items(old, new, matched)]
    touched = {change.element_id for change in changes}
    moved = [i for i, place in new.places.items() if i in old.places and old.places[i] != place and i not in touched]
    known = set(new.items)
    return Difference(tuple(changes), tuple(sorted(known.intersection(moved))))


def compare(session: Session, before: ProcessDefinition, after: ProcessDefinition) -> Difference:
    """The difference of two versions with their forms, tables and bound calls. Raises XmlRefused or NotFound."""
    drawn = compare_files(before.resource.content, after.resource.content, after.key)
    more = [*_of_forms(session, before, after), *_of_tables(session, before, after), *_of_calls(session, before, after)]
    return Difference((*drawn.changes, *more), drawn.moved)


def compare_forms(name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Change | None:
    """The difference of two states of a form; None when there is none."""
    if before is None or after is None:
        kind: Kind = "added" if before is None else "removed"
        return Change(kind, "form", name, name) if before is not after else None
    old, new = dict(_fields(before)), dict(_fields(after))
    facts = list(_facts(old, new))
    if before != after and not facts:
        facts = [Fact("other", None, None)]
    return Change("changed", "form", name, name, facts=tuple(facts)) if facts else None


def _matched(old: Portrait, new: Portrait) -> dict[str, str]:
    """New id → old id: the same id, and flows that were drawn anew between the same nodes."""
    pairs = {id_: id_ for id_ in new.items if id_ in old.items}
    gone = {i.rest: i.id for i in old.items.values() if i.kind == "sequenceFlow" and i.id not in pairs}
    for item in new.items.values():
        if item.id not in pairs and item.kind == "sequenceFlow" and item.rest in gone:
            pairs[item.id] = gone.pop(item.rest)
    return pairs


def _of_process(old: Portrait, new: Portrait) -> Iterator[Change]:
    facts = tuple(_facts(old.facts, new.facts))
    if facts:
        yield Change("changed", "process", "", str(new.facts.get("name", "")), facts=facts)


def _of_items(old: Portrait, new: Portrait, matched: Mapping[str, str]) -> Iterator[Change]:
    for item in new.items.values():
        if item.id in matched:
            yield from _of_item(old.items[matched[item.id]], item)
        else:
            yield _whole("added", item)
    kept = set(matched.values())
    for item in old.items.values():
        if item.id not in kept:
            yield _whole("removed", item)


def _whole(kind: Kind, item: Item) -> Change:
    """An element that one version only has; what it says goes along, so that nothing must be looked up."""
    told = {name: value for name, value in item.facts.items() if name not in _UNTOLD}
    buttons = {f"action.{a.get('label', i)}": a.get("form", "") for i, a in item.actions.items()}
    sides = [(None, value) if kind == "added" else (value, None) for value in (*told.values(), *buttons.values())]
    facts = tuple(Fact(name, *side) for name, side in zip((*told, *buttons), sides, strict=True))
    what = "flow" if item.kind == "sequenceFlow" else "node"
    return Change(kind, what, item.id, _called(item), item.kind, item.id, facts)


def _called(item: Item) -> str:
    """What the element is called; a flow without a name is called by its ends."""
    if item.kind == "sequenceFlow" and not item.name:
        return " → ".join(str(item.facts.get(end, "–")) for end in _ENDS)
    return item.name or item.id


def _of_item(old: Item, new: Item) -> Iterator[Change]:
    what = "flow" if new.kind == "sequenceFlow" else "node"
    facts = list(_facts({"type": old.kind, **old.facts}, {"type": new.kind, **new.facts}))
    if what == "flow" and old.rest == new.rest:
        facts = [fact for fact in facts if fact.field not in _ENDS]  # only a neighbour has another name
    buttons = list(_of_actions(old, new))
    if what == "node" and old.rest != new.rest and not facts and not buttons:
        facts = [Fact("other", None, None)]
    if facts:
        yield Change("changed", what, new.id, _called(new), new.kind, new.id, tuple(facts))
    yield from buttons


def _of_actions(old: Item, new: Item) -> Iterator[Change]:
    for id_ in (*new.actions, *(i for i in old.actions if i not in new.actions)):
        before, after = old.actions.get(id_), new.actions.get(id_)
        label = str((after or before or {}).get("label", id_))
        facts = tuple(_facts(before or {}, after or {}))
        kind: Kind = "added" if before is None else "removed" if after is None else "changed"
        if kind != "changed":
            facts = tuple(fact for fact in facts if fact.field not in ("id", "label"))
        if facts or kind != "changed":
            yield Change(kind, "action", id_, label, new.kind, new.id, facts)


def _of_forms(session: Session, before: ProcessDefinition, after: ProcessDefinition) -> Iterator[Change]:
    for name in sorted({*before.index["forms"], *after.index["forms"]}):
        old = _form(session, before, name) if name in before.index["forms"] else None
        new = _form(session, after, name) if name in after.index["forms"] else None
        change = compare_forms(name, old, new)
        if change is not None:
            yield change


def _form(session: Session, definition: ProcessDefinition, name: str) -> dict[str, Any] | None:
    try:
        return repository.form(session, definition, name)
    except (NotFound, json.JSONDecodeError):
        return None


def _fields(form: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a form by key, each as one comparable text."""
    yield "title", form.get("title")
    for position, component in enumerate(form.get("components") or ()):
        name = component.get("label") or component.get("text") or component.get("key") or f"{position + 1}"
        yield f"field.{component.get('key') or name}", json.dumps(component, ensure_ascii=False, sort_keys=True)


def _of_tables(session: Session, before: ProcessDefinition, after: ProcessDefinition) -> Iterator[Change]:
    old, new = before.index.get("tables", {}), after.index.get("tables", {})
    for decision in sorted({*old, *new}):
        if old.get(decision) == new.get(decision):
            continue
        rules = [_rules(session, tables.get(decision), decision) for tables in (old, new)]
        gone = [Fact("rule", rule, None) for rule in rules[0] if rule not in rules[1]]
        come = [Fact("rule", None, rule) for rule in rules[1] if rule not in rules[0]]
        kind: Kind = "added" if decision not in old else "removed" if decision not in new else "changed"
        if gone or come or kind != "changed":
            yield Change(kind, "table", decision, decision, facts=(*gone, *come))


def _rules(session: Session, sha256: str | None, decision: str) -> list[str]:
    """The rules of a table, each in one line."""
    if sha256 is None:
        return []
    query = select(Resource.content).where(Resource.kind == "dmn", Resource.sha256 == sha256).limit(1)
    content = session.scalars(query).one_or_none()
    try:
        elements = dmn.decision_elements(xml.read(content or b"", decision))
    except EngineError:
        return []
    found = next((e for e in elements if e.get("id") == decision), None)
    if found is None:
        return []
    return [_rule(rule) for rule in found.iter() if xml.local_name(rule) == "rule"]


def _rule(rule: Any) -> str:
    def texts(kind: str) -> Iterable[str]:
        return (dmn.text_of(entry) or "-" for entry in dmn.children(rule, kind))

    return f"{', '.join(texts('inputEntry'))} → {', '.join(texts('outputEntry'))}"


def _of_calls(session: Session, before: ProcessDefinition, after: ProcessDefinition) -> Iterator[Change]:
    """Called processes that come with the bundle: they change with the version without a line in its drawing."""
    bound = [{k: versions.deployed_with(session, v, k) for k in v.index.get("bound", ())} for v in (before, after)]
    for key in sorted(bound[0].keys() & bound[1].keys()):
        old, new = (each.version if (each := found[key]) is not None else None for found in bound)
        if old != new:
            yield Change("changed", "call", key, key, facts=(Fact("version", old, new),))


def _facts(old: Facts, new: Facts) -> Iterator[Fact]:
    for name in (*new, *(n for n in old if n not in new)):
        if old.get(name) != new.get(name):
            yield Fact(name, old.get(name), new.get(name))
