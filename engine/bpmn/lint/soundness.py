"""Rules on where tokens can go: nothing unreachable, every wait has a way out, joins get what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from engine.bpmn.lint import tokens
from engine.bpmn.lint.drawing import SYNCHRONISING, Drawing, Flow, Node, Scope
from engine.bpmn.lint.limits import MOST_NODES
from engine.bpmn.lint.rules import Report, Rule, shown

UNREACHABLE = Rule(
    "unreachable-node",
    "error",
    "В узел нельзя попасть из начала. Соедините его с остальной схемой или удалите.",
    "The node cannot be reached from the start. Connect it with the rest or delete it.",
)
NO_WAY_TO_END = Rule(
    "no-way-to-end",
    "error",
    "Отсюда нельзя дойти ни до одного завершения. Нарисуйте выход к завершающему событию.",
    "No end can be reached from here. Draw a way to an end event.",
)
WAIT_WITHOUT_EXIT = Rule(
    "wait-without-exit",
    "warning",
    "Узел ждёт только сообщения или сигнала: если их не будет, он не кончится никогда. Добавьте граничный таймер.",
    "The node waits for a message or signal only: without one it never ends. Add a timer boundary event.",
)
ENDLESS_LOOP = Rule(
    "endless-loop",
    "error",
    "Круг без ожидания и без выхода: {path}. Добавьте выход по условию или ожидание.",
    "A circle without a wait and without a way out: {path}. Add a condition that leaves it or a wait.",
)
AUTOMATIC_LOOP = Rule(
    "automatic-loop",
    "warning",
    "Круг без ожидания: {path}. Если условие выхода не наступит, шаг остановится инцидентом. Добавьте ожидание.",
    "A circle without a wait: {path}. If its condition never holds, the step ends as an incident. Add a wait.",
)
TOKENS_MULTIPLY = Rule(
    "tokens-multiply",
    "error",
    "Разделение стоит в круге: с каждым кругом токенов становится больше. Соедините ветви до возврата.",
    "The split lies on a circle: every round makes more tokens. Join the branches before going back.",
)
JOIN_WAITS_FOREVER = Rule(
    "join-waits-forever",
    "error",
    "Шлюз ждёт всех входов, но после «{choice}» доходят не все: экземпляр встанет. Поставьте исключающий шлюз или "
    "доведите сюда каждую ветвь.",
    "The gateway awaits all its inputs, but after “{choice}” not all get here and the instance stops. Use an exclusive "
    "gateway or lead every branch here.",
)
BRANCHES_NOT_JOINED = Rule(
    "branches-not-joined",
    "warning",
    "Сюда приходят параллельные ветви после «{split}»: дальше всё исполнится для каждой. Поставьте параллельный шлюз.",
    "Parallel branches after “{split}” meet here: what follows runs once for each. Put a parallel gateway.",
)
SIDE_BRANCH_RETURNS = Rule(
    "side-branch-returns",
    "warning",
    "Ветвь непрерывающего события возвращается в основную: дальше всё исполнится дважды. Завершите её отдельно.",
    "The branch of this non-interrupting event comes back to the main one: what follows runs twice. End it apart.",
)
TOO_TANGLED = Rule(
    "too-tangled",
    "error",
    "Схема слишком запутана, чтобы проверить её до конца. Вынесите части в подпроцессы.",
    "The drawing is too tangled to be checked to the end. Move parts into sub-processes.",
)
MOST_STEPS = 1_500_000
"""Of looking along flows, in one scope: about half a second."""

_Graph = Mapping[Node, Iterable[Node]]


class _TooTangledError(Exception):
    """The look along the flows took too many steps."""


def check(drawing: Drawing, report: Report, waiting_processes: Callable[[str], bool]) -> None:
    """Every scope that is moderate enough; `waiting_processes` says whether a called process has a wait."""
    for scope in drawing.scopes:
        if len(scope.nodes) <= MOST_NODES:
            try:
                _Soundness(scope, report, waiting_processes).check()
            except _TooTangledError:
                report.add(TOO_TANGLED, scope.element)


def has_wait(scope: Scope, waiting_processes: Callable[[str], bool]) -> bool:
    """Whether a token may rest somewhere in the scope."""
    return any(_rests(node, waiting_processes) for node in scope.nodes if not _beside(node))


def _beside(node: Node) -> bool:
    """Whether no token of the flow ever comes to the node."""
    return node.is_for_compensation or (node.inside is not None and node.inside.is_event_sub_process)


def _rests(node: Node, waiting_processes: Callable[[str], bool]) -> bool:
    if node.kind == "callActivity":
        return waiting_processes(node.element.get("calledElement", ""))
    if node.inside is not None:
        return has_wait(node.inside, waiting_processes)
    return node.waits


@dataclass(slots=True)
class _Branch:
    """One way out of a node."""

    first: Node
    flow: Flow | None


class _Soundness:
    """The questions asked of one scope, over what is reachable from where."""

    def __init__(self, scope: Scope, report: Report, waiting_processes: Callable[[str], bool]) -> None:
        self.scope = scope
        self.report = report
        self.steps = 0
        self.rests = {node for node in scope.nodes if _rests(node, waiting_processes)}
        self.ahead: dict[Node, list[Node]] = {node: node.exits for node in scope.nodes}
        self.after = {node: self.reachable(self.ahead[node], self.ahead) for node in scope.nodes}
        self.live = self.reachable(scope.starts(), self.ahead)

    def check(self) -> None:
        self._check_reachable()
        self._check_ends()
        self._check_waits()
        self._check_loops()
        verdict = tokens.explore(self.scope)
        self._tell(verdict)
        if not verdict.complete:
            self._guess({found.node for found in verdict.doubled})
        for node in self.scope.nodes:
            if node.kind == "boundaryEvent" and not node.interrupts and node.host is not None:
                self._check_side_branch(node, node.host)

    def _tell(self, verdict: tokens.Verdict) -> None:
        """What was seen on every way the tokens can go."""
        for stuck in verdict.stuck:
            choice = shown(stuck.after.name or stuck.after.id)
            self.report.add(JOIN_WAITS_FOREVER, stuck.join.element, choice=choice)
        growing = {found.split for found in verdict.doubled if self._multiplies(found.split)}
        for split in growing:
            self.report.add(TOKENS_MULTIPLY, split.element)
        for found in verdict.doubled:
            if found.split not in growing:
                name = shown(found.split.name or found.split.id)
                self.report.add(BRANCHES_NOT_JOINED, found.node.element, split=name)

    def _guess(self, told: set[Node]) -> None:
        """What the flows alone tell, where there are too many ways to follow each."""
        for node in self.scope.nodes:
            if node in self.live and node.kind == "parallelGateway" and len(node.incoming) > 1:
                self._check_join(node)
            if node in self.live and _forks(node):
                self._check_fork(node, told)

    def reachable(self, start: Iterable[Node], graph: _Graph, without: Node | None = None) -> set[Node]:
        """The nodes a token gets to, `start` among them, never through `without`."""
        seen = {node for node in start if node is not without}
        pending = list(seen)
        while pending:
            for following in graph.get(pending.pop(), ()):
                self.steps += 1
                if following not in seen and following is not without:
                    seen.add(following)
                    pending.append(following)
        if self.steps > MOST_STEPS:
            raise _TooTangledError
        return seen

    def _check_reachable(self) -> None:
        for node in self.scope.nodes:
            led_to = node.incoming or (node.kind == "boundaryEvent" and node.host is not None)
            if node not in self.live and led_to and node.element.get("isForCompensation") != "true":
                self.report.add(UNREACHABLE, node.element)

    def _check_ends(self) -> None:
        told: set[Node] = set()
        for node in self.scope.nodes:
            around = self.after[node] | {node}
            if node in self.live and node not in told and all(each.outgoing or each.boundaries for each in around):
                self.report.add(NO_WAY_TO_END, node.element)
                told |= around

    def _check_waits(self) -> None:
        for node in self.scope.nodes:
            passive = node.kind == "receiveTask" or node.trigger in ("message", "signal")
            if node.kind in ("receiveTask", "intermediateCatchEvent") and passive:
                timed = any(boundary.trigger == "timer" and boundary.interrupts for boundary in node.boundaries)
                if not timed and not any(_gives_up(flow.source) for flow in node.incoming):
                    self.report.add(WAIT_WITHOUT_EXIT, node.element)

    def _check_loops(self) -> None:
        automatic = {n: [a for a in ahead if a not in self.rests] for n, ahead in self.ahead.items() if n in self.live}
        for rest in self.rests:
            automatic[rest] = []
        told: set[Node] = set()
        for node in self.scope.nodes:
            around = self.reachable(automatic.get(node, ()), automatic)
            if node in told or node not in around:
                continue
            circle = [each for each in self.scope.nodes if each in around and node in self.reachable([each], automatic)]
            told.update(circle)
            leaves = any(following not in circle for each in circle for following in self.ahead[each])
            path = " → ".join(shown(each.name or each.id) for each in circle[:6])
            self.report.add(AUTOMATIC_LOOP if leaves else ENDLESS_LOOP, node.element, path=path)

    def _check_join(self, join: Node) -> None:
        for choice in self.scope.nodes:
            if choice in self.live and join in self.after[choice] and self._starves(join, choice):
                self.report.add(JOIN_WAITS_FOREVER, join.element, choice=shown(choice.name or choice.id))
                return

    def _starves(self, join: Node, choice: Node) -> bool:
        """Whether the join awaits two branches of which `choice` takes one only."""
        branches = _alternatives(choice)
        if len(branches) < 2:
            return False
        elsewhere = self.reachable(self.scope.starts(), self.ahead, without=choice)
        needed = {f for f in join.incoming if f.source is choice or (f.source and f.source not in elsewhere)}
        for branch in branches:
            filled = self._filled(join, branch, without=choice)
            if filled & needed and not needed <= filled:
                return True
        return False

    def _filled(self, join: Node, branch: _Branch, without: Node) -> set[Flow]:
        """The inputs of the join that a token of this branch can come in by."""
        if branch.first is join:
            return {branch.flow} if branch.flow else set()
        stop = {**self.ahead, join: []}
        seen = self.reachable([branch.first], stop, without=without)
        return {flow for flow in join.incoming if flow.source in seen}

    def _check_fork(self, fork: Node, told: set[Node]) -> None:
        if fork in self.after[fork] and self._multiplies(fork):
            self.report.add(TOKENS_MULTIPLY, fork.element)
            return
        unjoined = {n: [] if _joins(n) or n is fork else ahead for n, ahead in self.ahead.items()}
        arrivals: dict[Node, set[int]] = {}
        for number, flow in enumerate(fork.outgoing):
            if flow.target is not None and flow.target is not fork:
                for node in self.reachable([flow.target], unjoined):
                    arrivals.setdefault(node, set()).add(number)
        for node in self.scope.nodes:
            meets = len(node.incoming) > 1 and len(arrivals.get(node, ())) > 1
            if meets and not _joins(node) and node.kind != "endEvent" and node not in told:
                self.report.add(BRANCHES_NOT_JOINED, node.element, split=shown(fork.name or fork.id))
                return

    def _check_side_branch(self, event: Node, host: Node) -> None:
        straight = {node: [n for n in ahead if n.interrupts] for node, ahead in self.ahead.items()}
        main = self.reachable([flow.target for flow in host.outgoing if flow.target is not None], straight)
        if any(node is host or (node in main and node.kind != "endEvent") for node in self.after[event]):
            self.report.add(SIDE_BRANCH_RETURNS, event.element)

    def _multiplies(self, fork: Node) -> bool:
        """Whether one branch goes round while another goes elsewhere, with no join on the way round."""
        unjoined = {node: [] if _joins(node) else ahead for node, ahead in self.ahead.items()}
        return any(flow.target and fork in self.reachable([flow.target], unjoined) for flow in fork.outgoing)


def _gives_up(gateway: Node | None) -> bool:
    """Whether an event-based gateway waits for the time as well."""
    if gateway is None or gateway.kind != "eventBasedGateway":
        return False
    return any(flow.target is not None and flow.target.trigger == "timer" for flow in gateway.outgoing)


def _forks(node: Node) -> bool:
    """Whether the node sends out several tokens at once."""
    return len(node.outgoing) > 1 and node.kind not in ("exclusiveGateway", "eventBasedGateway", "complexGateway")


def _joins(node: Node) -> bool:
    return node.kind in SYNCHRONISING and len(node.incoming) > 1


def _alternatives(node: Node) -> list[_Branch]:
    """The ways out of which exactly one is taken."""
    flows = [_Branch(flow.target, flow) for flow in node.outgoing if flow.target is not None]
    if node.kind in ("exclusiveGateway", "eventBasedGateway"):
        return flows
    interrupting = [_Branch(boundary, None) for boundary in node.boundaries if boundary.interrupts]
    return [*flows, *interrupting] if len(flows) == 1 and interrupting else []
