"""Every way the tokens of one scope can go, state by state, as long as there are not too many states."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice

from engine.bpmn.lint.drawing import SYNCHRONISING, Flow, Node, Scope

MOST_STATES = 4_000
MOST_MOVES = 12_000
MOST_STEPS = 200_000
MOST_CONDITIONS = 6
"""On the flows out of one node: each combination is a move of its own."""

_State = frozenset[int]
_END: _State = frozenset()


@dataclass(frozen=True, slots=True)
class Stuck:
    """A join that gets some of its tokens and can never get the others."""

    join: Node
    after: Node
    """Where it was decided: before this node ran, the end could still be reached."""


@dataclass(frozen=True, slots=True)
class Doubled:
    """A node that puts a token where there is one already: what follows runs twice."""

    node: Node
    split: Node
    """The last node before it that sent out several tokens."""


@dataclass(slots=True)
class Verdict:
    """What the exploration of a whole scope found."""

    stuck: list[Stuck] = field(default_factory=list)
    doubled: list[Doubled] = field(default_factory=list)
    states: int = 0
    complete: bool = True
    """Whether every state was seen; else only what is doubled is known, and not all of it."""


def explore(scope: Scope) -> Verdict:
    """The verdict on a scope, as far as it does not have too many states to look at each.

    Events that may happen beside the main flow (non-interrupting ones) are followed each on its own: whether they
    happen is not known, so nothing may depend on them.
    """
    net = _Net(scope)
    verdict = Verdict(complete=net.moves_made <= MOST_MOVES)
    for first in net.beginnings() if verdict.complete else ():
        exploration = _Exploration(net, first)
        verdict.complete = exploration.run(MOST_STATES - verdict.states) and verdict.complete
        verdict.states += len(exploration.came_from)
        exploration.tell(verdict)
    return verdict


@dataclass(eq=False, slots=True)
class _Move:
    """One way a node can run: the places it takes tokens from and those it puts tokens on."""

    node: Node
    takes: _State
    puts: tuple[int, ...]
    clears: bool = False
    """Whether everything else in the scope ends with it."""


class _Net:
    """Places (flows and links, each a number) and the moves between them."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.moves: dict[int, list[_Move]] = {}
        self.moves_made = 0
        self.steps = 0
        self._place: dict[object, int] = {}
        self._behind: dict[int, set[int]] = {}
        self._reaching: dict[tuple[Node, int], set[int]] = {}
        self._number(scope)
        self.joins = [node for node in scope.nodes if node.kind == "parallelGateway" and len(node.incoming) > 1]
        for move in islice(self._all(), MOST_MOVES + 1):
            self._add(move)

    def _all(self) -> Iterator[_Move]:
        for node in self.scope.nodes:
            if not _passes(node):
                outs = list(islice(self._outs(node), MOST_MOVES))
                yield from (_Move(node, takes, puts, _clears(node)) for takes in self._ins(node) for puts in outs)

    def beginnings(self) -> Iterator[tuple[Node, _State]]:
        """Each way to begin: by one start event, without any by all nodes that nothing leads to; and beside."""
        starts = self.scope.starts()
        if starts and starts[0].kind != "startEvent":
            yield starts[0], frozenset(place for node in starts for place in next(self._outs(node), ()))
            return
        beside = [node for node in self.scope.nodes if node.kind == "boundaryEvent" and not node.interrupts]
        for node in [*starts, *beside]:
            for puts in self._outs(node):
                yield node, frozenset(puts)

    def enabled(self, state: _State) -> Iterator[_Move]:
        for place in state:
            for move in self.moves.get(place, ()):
                self.steps += 1
                if self.steps > MOST_STEPS:
                    return
                if move.node.kind == "inclusiveGateway" and len(move.node.incoming) > 1:
                    taken = self._inclusive(move, state)
                    if taken is not None and min(taken) == place:
                        yield _Move(move.node, taken, move.puts)
                elif move.takes <= state and min(move.takes) == place:
                    yield move

    def inputs(self, join: Node) -> _State:
        return frozenset(self._place[flow] for flow in join.incoming if flow in self._place)

    def _number(self, scope: Scope) -> None:
        for flow in scope.flows:
            if flow.source is not None and flow.target is not None:
                first = _head(flow)
                self._place[flow] = self._place.setdefault(first, len(self._place))
        for node in scope.nodes:
            if node.jumps:
                self._place[node] = len(self._place)

    def _add(self, move: _Move) -> None:
        self.moves_made += 1
        for place in move.takes:
            self.moves.setdefault(place, []).append(move)
            for put in move.puts:
                self._behind.setdefault(put, set()).add(place)

    def _ins(self, node: Node) -> Iterator[_State]:
        places = [self._place[flow] for flow in node.incoming if flow in self._place]
        places += [self._place[thrower] for thrower in self.scope.nodes if node in thrower.jumps]
        if node.kind in SYNCHRONISING:
            yield from [frozenset(places)] if places else []
        else:
            yield from (frozenset([place]) for place in places)

    def _outs(self, node: Node) -> Iterator[tuple[int, ...]]:
        """Each set of places that the node may put tokens on."""
        flows = [flow for flow in node.outgoing if flow in self._place]
        if node.jumps:
            yield (self._place[node],)
        elif node.kind in ("exclusiveGateway", "eventBasedGateway", "complexGateway") and flows:
            yield from ((self._place[flow],) for flow in flows)
        else:
            yield from (tuple(self._place[flow] for flow in chosen) for chosen in _chosen(node, flows))
        for event in node.boundaries if node.kind != "boundaryEvent" else ():  # a border has none of its own
            if event.interrupts and event.trigger != "compensate":
                yield from self._outs(event)

    def _inclusive(self, move: _Move, state: _State) -> _State | None:
        """What an inclusive join takes: all that is there, once nothing more can come."""
        self.steps += len(move.takes)
        there = move.takes & state
        towards_full = set().union(*(self.before(move.node, place) for place in there))
        for place in move.takes - there:
            if (self.before(move.node, place) - towards_full) & state:
                return None
        return there

    def before(self, join: Node, goal: int) -> set[int]:
        """The places from which a token can get to `goal` without passing the join."""
        found = self._reaching.get((join, goal))
        if found is None:
            barred = self.inputs(join)
            found, pending = {goal}, [goal]
            while pending:
                more = self._behind.get(pending.pop(), set()) - found - barred
                found |= more
                pending += more
            self.steps += len(found)
            self._reaching[join, goal] = found
        return found


def _passes(node: Node) -> bool:
    """Whether a token only passes: the flow in and the flow out are one place then."""
    ways = len(node.incoming), len(node.outgoing)
    ends_known = all(flow.source and flow.target for flow in (*node.incoming, *node.outgoing))
    beside = node.jumps or any(event.interrupts for event in node.boundaries)
    return ways == (1, 1) and ends_known and not beside and node.outgoing[0].condition is None


def _head(flow: Flow) -> Flow:
    """The first flow of a row of nodes that are only passed."""
    seen = {flow}
    while flow.source is not None and _passes(flow.source) and flow.source.incoming[0] not in seen:
        flow = flow.source.incoming[0]
        seen.add(flow)
    return flow


def _chosen(node: Node, flows: list[Flow]) -> Iterator[tuple[Flow, ...]]:
    """Which flows are taken together: all, or each combination of those with conditions."""
    default = node.element.get("default")
    conditional = [flow for flow in flows if flow.condition is not None and flow.id != default]
    if node.kind == "inclusiveGateway" and len(flows) > 1:
        conditional = [flow for flow in flows if flow.id != default]
    if node.kind == "parallelGateway" or not conditional:
        yield tuple(flows)
        return
    fallback = tuple(flow for flow in flows if flow.id == default)
    always = tuple(flow for flow in flows if flow not in conditional and flow not in fallback)
    if always or fallback:
        yield always + fallback
    every = len(conditional)
    for size in range(1, every + 1) if every <= MOST_CONDITIONS else (1, every):
        for some in combinations(conditional, size):
            yield always + some


def _onwards(start: Node) -> Iterator[Node]:
    """The nodes behind this one, the near ones first."""
    seen, pending = {start}, deque([start])
    while pending:
        for node in pending.popleft().exits:
            if node not in seen:
                seen.add(node)
                pending.append(node)
                yield node


def _clears(node: Node) -> bool:
    return node.kind == "endEvent" and node.trigger in ("terminate", "error", "cancel")


class _Exploration:
    """All states from one beginning on; each way is followed to its end first."""

    def __init__(self, net: _Net, beginning: tuple[Node, _State]) -> None:
        self.net = net
        self.start, first = beginning
        self.first = first
        self.came_from: dict[_State, tuple[_State, _Move] | None] = {first: None}
        self.before: dict[_State, list[_State]] = {}
        self.doubled: list[tuple[_State, _Move]] = []

    def run(self, most: int) -> bool:
        """Whether all states were seen."""
        pending = [self.first]
        while pending:
            state = pending.pop()
            for move in self.net.enabled(state):
                left = _END if move.clears else state - move.takes
                after = left.union(move.puts)
                if len(after) < len(left) + len(move.puts):
                    self.doubled.append((state, move))
                    after = _END
                self.before.setdefault(after, []).append(state)
                if after not in self.came_from:
                    self.came_from[after] = state, move
                    pending.append(after)
            if len(self.came_from) > most or self.net.steps > MOST_STEPS:
                return False
        return True

    def tell(self, verdict: Verdict) -> None:
        told = {found.node for found in verdict.doubled}
        for state, move in self.doubled:
            if move.node not in told:
                told.add(move.node)
                verdict.doubled.append(Doubled(move.node, self._split(state)))
        hopeful = self._ending() if verdict.complete else set(self.came_from)
        joins = {found.join for found in verdict.stuck}
        for state in self.came_from:
            if state not in hopeful:
                after = self._decided(state, hopeful)
                for join in self._waiting(state, after):
                    if join not in joins:
                        joins.add(join)
                        verdict.stuck.append(Stuck(join, after))

    def _ending(self) -> set[_State]:
        """The states from which the scope can still end."""
        found = {_END}
        pending = [_END]
        while pending:
            for state in self.before.get(pending.pop(), ()):
                if state not in found:
                    found.add(state)
                    pending.append(state)
        return found

    def _waiting(self, state: _State, after: Node) -> list[Node]:
        """Joins that hold a token and lack one that cannot come any more; where nothing moves, the next join."""
        waiting = {join: self.net.inputs(join) - state for join in self.net.joins if self.net.inputs(join) & state}
        waiting = {join: lacking for join, lacking in waiting.items() if lacking}
        lost = [join for join, lack in waiting.items() if not any(self.net.before(join, p) & state for p in lack)]
        if lost or not waiting or next(self.net.enabled(state), None) is not None:
            return lost
        return [next((node for node in _onwards(after) if node in waiting), next(iter(waiting)))]

    def _decided(self, state: _State, hopeful: set[_State]) -> Node:
        step = self.came_from[state]
        while step is not None:
            state, move = step
            if state in hopeful:
                return move.node
            step = self.came_from[state]
        return self.start

    def _split(self, state: _State) -> Node:
        step = self.came_from[state]
        while step is not None:
            state, move = step
            if len(move.puts) > 1:
                return move.node
            step = self.came_from[state]
        return self.start
