"""Deployments and versions: what was uploaded, which version is active, and the programs that instances run."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import bundles, connectors, decisions, form_files, versions
from engine.bpmn import dmn, lint, parser, xml
from engine.bpmn.extensions import processes, read_index
from engine.bpmn.program import Part, Program, fingerprint
from engine.bpmn.state import fingerprint_of
from engine.errors import DeploymentRefused, EngineError, NotFound, Problem
from engine.listeners import listeners
from engine.models import Deployment, ProcessDefinition, ProcessInstance, Resource

MOST_PROGRAMS = 256
UNREADABLE = frozenset(
    [
        *(
            "xml-syntax",
            "xml-doctype",
            "file-size",
            "file-encoding",
            "not-bpmn",
            "no-process",
            "not-executable-drawing",
        ),
        *("too-many-nodes", "too-many-flows", "too-deep"),
        *("missing-id", "id-format", "duplicate-id", "name-length", "duplicate-process"),
    ]
)
"""Findings with which a drawing cannot even be kept as a draft."""

activate, form = versions.activate, form_files.form


def check(files: Mapping[str, bytes], *, session: Session | None = None) -> list[Problem]:
    """Everything the check finds in these files, and whatever the parser could not turn into a program.

    Connectors are those of this process of the server; statuses and forms are compared only with a session at hand.
    """
    known_statuses = listeners().statuses
    problems = lint.check_files(
        files,
        connectors=connectors.catalogue() or None,
        statuses=known_statuses(session) if session and known_statuses else None,
        forms=_deployed_forms(session) if session else None,
        decision_ids=decisions.deployed_ids(session) if session else None,
        processes=session.scalars(select(ProcessDefinition.key).distinct()).all() if session else (),
    )
    if any(problem.severity == "error" for problem in problems):
        return problems
    for name, content in files.items():
        if bundles.kind(name) == "bpmn":
            problems += _parse_problems(name, content)
    return problems


def deploy(
    session: Session,
    files: Mapping[str, bytes],
    *,
    author: str,
    comment: str = "",
    activate: bool = False,
    override_reason: str | None = None,
    keep_draft: bool = False,
) -> Deployment:
    """Store a bundle; a process whose content changed gets a new version (a draft, unless `activate`).

    The same bundle again returns the stored one, and what was deleted of it comes back. Raises DeploymentRefused with
    all findings; with `keep_draft` only for files that cannot be read. Raises NotReady when such a draft is to become
    active without a reason.
    """
    digest = bundles.bundle_digest(files)
    deployment = session.scalars(select(Deployment).where(Deployment.sha256 == digest)).one_or_none()
    if deployment is None:
        problems = _checked(files, session, keep_draft)
        deployment = store(session, files, author=author, comment=comment, problems=problems)
        for listener in listeners().deployed:
            listener(session, deployment)
    else:
        _restore(session, deployment)
    if activate:
        for definition in deployment.definitions:
            if definition.state == "draft":
                versions.activate(session, definition, by=author, override_reason=override_reason)
    return deployment


def _checked(files: Mapping[str, bytes], session: Session, keep_draft: bool) -> list[Problem]:
    """The findings of a bundle that may be stored, as a draft at least."""
    problems = check(files, session=session)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors and not (keep_draft and all(map(_may_be_kept, errors))):
        raise DeploymentRefused(problems)
    if errors:
        problems += (
            p for name, content in files.items() if bundles.kind(name) == "bpmn" for p in _parse_problems(name, content)
        )
    return problems


def _may_be_kept(problem: Problem) -> bool:
    return bundles.kind(problem.file or "") == "bpmn" and problem.rule not in UNREADABLE


def _restore(session: Session, deployment: Deployment) -> None:
    """Define again what was deleted of a bundle that is deployed once more."""
    for resource in deployment.resources:
        there = select(ProcessDefinition.key).join(ProcessDefinition.resource).where(Resource.sha256 == resource.sha256)
        missing = set(_keys(resource)) - set(session.scalars(there)) if resource.kind == "bpmn" else set()
        if missing:
            files = {each.name: each.content for each in deployment.resources}
            found = [problem for problem in check(files, session=session) if problem.file == resource.name]
            for key in sorted(missing):
                _define(session, deployment, resource, list(map(_problem_row, found)), only=key)
    session.flush()
    session.refresh(deployment, ["definitions"])


def store(
    session: Session,
    files: Mapping[str, bytes],
    *,
    author: str,
    comment: str = "",
    problems: Sequence[Problem] = (),
) -> Deployment:
    """Store a bundle that was checked already, or that a throw-away run may take as it is."""
    deployment = bundles.stored(session, files, author=author, comment=comment)
    for resource in deployment.resources:
        if resource.kind == "bpmn":
            found = [_problem_row(problem) for problem in problems if problem.file == resource.name]
            _define(session, deployment, resource, found)
    _revise(session, deployment)
    session.flush()
    session.refresh(deployment, ["definitions"])
    return deployment


def latest(session: Session, key: str) -> ProcessDefinition:
    """The active version of a process; raises NotFound."""
    query = select(ProcessDefinition).where(ProcessDefinition.key == key, ProcessDefinition.state == "active")
    definition = session.scalars(query).one_or_none()
    if definition is None:
        raise NotFound(f"Expected an active version of the process {key}, but there is none")
    return definition


def bindings_of(session: Session, definition: ProcessDefinition) -> dict[str, int]:
    """The versions of everything the process calls, directly or not; fixed when an instance starts.

    A called process that is not deployed is left out: only the instance that gets there fails. Raises EngineError when
    two callers are bound to different versions of one process: an instance has one of each.
    """
    bindings: dict[str, int] = {}
    callers: Sequence[ProcessDefinition] = [definition]
    seen = {definition.id}
    while callers:
        found = {each.id: each for each in _called_by(session, callers) if each.key != definition.key}
        for each in found.values():
            if bindings.setdefault(each.key, each.id) != each.id:
                raise EngineError(f"Expected one version of {each.key} in {definition.key}, but its callers want two")
        callers = [each for each in found.values() if each.id not in seen]
        seen |= set(found)
    return bindings


def program_of(session: Session, instance: ProcessInstance) -> Program:
    """The program of an instance, from memory when the stored state names one that is there."""
    if instance.data is not None:
        known = _programs.get(fingerprint_of(instance.data))
        if known is not None:
            return known
    found = program(session, instance.definition_id, instance.bindings)
    if instance.data is not None and fingerprint_of(instance.data) != found.fingerprint:
        raise EngineError(f"Expected the versions that instance {instance.id} was saved with, but they differ")
    return found


def program(session: Session, definition_id: int, bindings: Mapping[str, int]) -> Program:
    """The program of these versions; the files are read only when it is not in memory."""
    definitions = [session.get_one(ProcessDefinition, each) for each in sorted({definition_id, *bindings.values()})]
    main = session.get_one(ProcessDefinition, definition_id).key
    key = fingerprint(main, {each.key: each.sha256 for each in definitions})
    found = _programs.get(key)
    if found is None:
        parts = [
            Part(
                each.key,
                each.sha256,
                each.resource.content,
                each.index,
                decisions.loaded(session, each.index.get("tables", {})),
            )
            for each in definitions
        ]
        found = Program(main, parts)
        _programs.put(found)
    return found


def forget() -> None:
    """Drop all programs from memory; they are read again when needed."""
    _programs.clear()


class _Programs:
    """The programs in memory of this process of the server, by content: a new version needs no restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, Program] = OrderedDict()

    def get(self, key: bytes) -> Program | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def clear(self) -> None:
        with self._lock:
            self._known.clear()

    def put(self, program: Program) -> None:
        with self._lock:
            self._known[program.fingerprint] = program
            while len(self._known) > MOST_PROGRAMS:
                self._known.popitem(last=False)


_programs = _Programs()


def _called_by(session: Session, callers: Sequence[ProcessDefinition]) -> Iterator[ProcessDefinition]:
    """The versions that these call: active ones, and those of the caller's own bundle where it is bound to it."""
    bound = {(caller, key) for caller in callers for key in caller.index.get("bound", ())}
    wanted = {k for caller in callers for k in caller.index["calls"] if k not in caller.index.get("bound", ())}
    if wanted:
        active = select(ProcessDefinition).where(ProcessDefinition.state == "active")
        yield from session.scalars(active.where(ProcessDefinition.key.in_(sorted(wanted))))
    for caller, key in sorted(bound, key=lambda each: (each[0].key, each[1])):
        found = versions.deployed_with(session, caller, key)
        if found is not None:
            yield found


def _revise(session: Session, deployment: Deployment) -> None:
    """Tables and forms that come without the process make a new version of the active processes that use them."""
    tables = [resource for resource in deployment.resources if resource.kind == decisions.KIND]
    given = {key for table in tables for key in dmn.known_ids(table.content)}
    defined = {key for r in deployment.resources if r.kind == "bpmn" for key in _keys(r)}
    users = {each.key: each for each in (*decisions.users(session, given), *form_files.users(session, deployment))}
    for key in sorted(users.keys() - defined):
        _define(session, deployment, users[key].resource, users[key].lint, only=key, revised=users[key])


def _keys(resource: Resource) -> list[str]:
    return [process.get("id", "") for process in processes(xml.read(resource.content, resource.name))]


def _define(
    session: Session,
    deployment: Deployment,
    resource: Resource,
    lint_rows: list[dict[str, Any]],
    only: str | None = None,
    revised: ProcessDefinition | None = None,
) -> None:
    for process in processes(xml.read(resource.content, resource.name)):
        key, index = process.get("id", ""), read_index(process)
        if only not in (None, key):
            continue
        kept = form_files.pinned(session, revised) if revised is not None else {}
        index["form_files"] = form_files.chosen(session, index["forms"], deployment, kept)
        index["tables"] = decisions.chosen(session, index["decisions"], deployment.resources)
        before = _newest(session, key)
        if before is not None and _is_unchanged(session, before, resource, index):
            continue
        session.add(
            ProcessDefinition(
                key=key,
                version=versions.highest(session, key) + 1,
                name=index["name"],
                deployment_id=deployment.id,
                resource_id=resource.id,
                sha256=_digest(resource, index),
                state="draft",
                index=index,
                lint=lint_rows,
                created_by=deployment.author,
                created_at=deployment.created_at,
            )
        )


def _is_unchanged(session: Session, before: ProcessDefinition, resource: Resource, index: Mapping[str, Any]) -> bool:
    """Whether a version with this drawing, these tables and these forms is there."""
    same = before.resource.sha256 == resource.sha256 and before.index.get("tables", {}) == index["tables"]
    return same and form_files.pinned(session, before) == index["form_files"]


def _digest(resource: Resource, index: Mapping[str, Any]) -> str:
    """One hash of a version: its drawing with the forms and tables that it runs with."""
    used = (f"{name} {sha256}" for kind in ("form_files", "tables") for name, sha256 in sorted(index[kind].items()))
    return bundles.digest(resource.content, *(text.encode() for text in used))


def _newest(session: Session, key: str) -> ProcessDefinition | None:
    query = select(ProcessDefinition).where(ProcessDefinition.key == key).order_by(ProcessDefinition.version.desc())
    return session.scalars(query.limit(1)).one_or_none()


def _problem_row(problem: Problem) -> dict[str, Any]:
    return {
        "rule": problem.rule,
        "severity": problem.severity,
        "message_ru": problem.message_ru,
        "message_en": problem.message_en,
        "element_id": problem.element_id,
        "element_name": problem.element_name,
        "line": problem.line,
        "file": problem.file,
        "fix": None if problem.fix is None else asdict(problem.fix),
    }


def _parse_problems(name: str, content: bytes) -> Iterable[Problem]:
    for process in processes(xml.read(content, name)):
        try:
            parser.compiled(content, process.get("id", ""))
        except DeploymentRefused as refused:
            for problem in refused.problems:
                yield Problem(
                    problem.rule,
                    problem.severity,
                    problem.message_ru,
                    problem.message_en,
                    problem.element_id,
                    problem.element_name,
                    problem.line,
                    name,
                )


def _deployed_forms(session: Session) -> set[str]:
    return {bundles.form_name(name) for name in session.scalars(select(Resource.name).where(Resource.kind == "form"))}
