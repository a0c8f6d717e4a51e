"""Random processes that the check accepts: blocks within blocks, and jumps back that need no structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from hypothesis import strategies as st

from tests.conformance.sketch import conditional, event_part, many, process, starts, task
from tests.engine.drawings import TERMINATE, boundary, catch, end, event, flows, gateway, node, script, start, timer

TRIGGERS = {
    "timer": timer("PT1H"),
    "message": event("message", "m"),
    "signal": event("signal", "s"),
    "condition": conditional("fact.x > 4"),
}


@dataclass(frozen=True)
class Block:
    """A part of a process with one way in and one way out."""

    kind: str
    inner: tuple[Block, ...] = ()
    trigger: str = "timer"
    interrupting: bool = True
    jumps: tuple[tuple[int, int], ...] = ()
    """Of a sequence: from behind one of its blocks back to before another; they may cross each other."""


def _leaves() -> st.SearchStrategy[Block]:
    return st.one_of(
        st.builds(Block, st.sampled_from(["task", "task", "task", "script", "work"])),
        st.builds(Block, st.just("wait"), trigger=st.sampled_from(["timer", "message", "signal", "condition"])),
        st.builds(Block, st.just("many"), interrupting=st.booleans(), trigger=st.sampled_from(["all", "half"])),
    )


def _composite(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    some = st.lists(inner, min_size=2, max_size=3).map(tuple)
    one, two = st.tuples(inner), st.tuples(inner, inner)
    trigger, either = st.sampled_from(sorted(TRIGGERS)), st.booleans()
    return st.one_of(
        st.builds(Block, st.sampled_from(["choice", "all", "some", "first"]), some),
        st.builds(Block, st.sampled_from(["loop", "part", "manifold"]), one),
        st.builds(Block, st.sampled_from(["bordered", "handled"]), two, trigger, either),
        st.builds(Block, st.just("stopped"), one),
        _sequences(inner, jumps=False),
    )


@st.composite
def _sequences(draw: st.DrawFn, inner: st.SearchStrategy[Block], *, jumps: bool) -> Block:
    blocks = tuple(draw(st.lists(inner, min_size=2 if jumps else 1, max_size=4)))
    pairs: list[tuple[int, int]] = []
    for _ in range(draw(st.integers(0, 2)) if jumps else 0):
        to = draw(st.integers(0, len(blocks) - 1))
        pairs.append((draw(st.integers(to, len(blocks) - 1)), to))
    return Block("sequence", blocks, jumps=tuple(pairs))


def processes() -> st.SearchStrategy[Block]:
    """Trees of blocks; the outermost is a sequence with jumps."""
    inner = st.recursive(_leaves(), _composite, max_leaves=12)
    return _sequences(inner, jumps=True)


@dataclass
class Drawing:
    """A block as BPMN: nodes with ids by number."""

    elements: list[str] = field(default_factory=list)
    count: int = 0

    def id(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def add(self, *elements: str) -> None:
        self.elements.extend(elements)

    def flow(self, source: str, target: str, condition: str = "") -> None:
        self.add(flows(f"{source}>{target}: {condition}" if condition else f"{source}>{target}"))


def drawn(block: Block) -> bytes:
    """A file with one process `p`."""
    drawing = Drawing()
    drawing.add(start())
    last = _place(drawing, block, "start")
    drawing.add(end())
    drawing.flow(last, "end")
    return process(*drawing.elements)


def _place(drawing: Drawing, block: Block, before: str) -> str:
    """Draw the block behind the node `before`; returns the node that is its way out."""
    return _PLACES[block.kind](drawing, block, before)


def _task(drawing: Drawing, block: Block, before: str) -> str:
    name = drawing.id("task")
    drawing.add(task(name))
    drawing.flow(before, name)
    return name


def _script(drawing: Drawing, block: Block, before: str) -> str:
    name = drawing.id("script")
    drawing.add(script(name, f"{name} = v"))
    drawing.flow(before, name)
    return name


def _work(drawing: Drawing, block: Block, before: str) -> str:
    name = drawing.id("work")
    operator = (
        '<spiffworkflow:serviceTaskOperator id="test.answer" resultVariable="answer"><spiffworkflow:parameters>'
        '<spiffworkflow:parameter id="value" type="str" value="v"/></spiffworkflow:parameters>'
        '</spiffworkflow:serviceTaskOperator><desk:job async="true" retries="3"/>'
    )
    drawing.add(node("serviceTask", name, "", operator))
    drawing.flow(before, name)
    return name


def _wait(drawing: Drawing, block: Block, before: str) -> str:
    name = drawing.id("wait")
    drawing.add(catch(name, TRIGGERS[block.trigger]))
    drawing.flow(before, name)
    return name


def _many(drawing: Drawing, block: Block, before: str) -> str:
    name = drawing.id("many")
    until = "v > 6" if block.trigger == "half" else ""
    # Each instance carries a value of its own, so that the twins can be led to the same one.
    drawing.add(task(name, inner=many(over="pair", item=f"{name}_of", until=until, sequential=block.interrupting)))
    drawing.flow(before, name)
    return name


def _sequence(drawing: Drawing, block: Block, before: str) -> str:
    """Merges before the blocks that are jumped to, choices behind those that are jumped from."""
    merges = {to: drawing.id("again") for _, to in block.jumps}
    for position, inner in enumerate(block.inner):
        if position in merges:
            drawing.add(gateway(merges[position]))
            drawing.flow(before, merges[position])
            before = merges[position]
        before = _place(drawing, inner, before)
        for source, to in block.jumps:
            if source == position:
                before = _jump(drawing, before, merges[to])
    return before


def _jump(drawing: Drawing, before: str, to: str) -> str:
    asked, choice, onward = _task(drawing, Block("task"), before), drawing.id("jump"), drawing.id("on")
    drawing.add(gateway(choice, default=f"{choice}_{onward}"), script(onward, "jumped = False"))
    drawing.flow(asked, choice)
    drawing.flow(choice, to, "v > 5")
    drawing.flow(choice, onward)
    return onward


def _branches(drawing: Drawing, block: Block, before: str, kind: str) -> str:
    """A split of that kind, its branches, and the same kind as a join."""
    split, join = drawing.id("split"), drawing.id("join")
    default: dict[str, str] = {}
    firsts = [drawing.id("branch") for _ in block.inner]
    if kind in ("exclusive", "inclusive"):
        default = {"default": f"{split}_{firsts[-1]}"}
    drawing.add(gateway(split, kind, **default), gateway(join, kind))
    drawing.flow(before, split)
    for position, (first, inner) in enumerate(zip(firsts, block.inner, strict=True)):
        drawing.add(script(first, f"{first} = v"))
        has_condition = default and first != firsts[-1]
        drawing.flow(split, first, f"v > {2 + 3 * position}" if has_condition else "")
        drawing.flow(_place(drawing, inner, first), join)
    return join


def _first(drawing: Drawing, block: Block, before: str) -> str:
    split, join = drawing.id("first"), drawing.id("met")
    drawing.add(gateway(split, "eventBased"), gateway(join))
    drawing.flow(before, split)
    for trigger, inner in zip(("timer", "message", "signal"), block.inner, strict=False):
        name = drawing.id("event")
        drawing.add(catch(name, TRIGGERS[trigger]))
        drawing.flow(split, name)
        drawing.flow(_place(drawing, inner, name), join)
    return join


def _loop(drawing: Drawing, block: Block, before: str) -> str:
    merge = drawing.id("lap")
    drawing.add(gateway(merge))
    drawing.flow(before, merge)
    return _jump(drawing, _place(drawing, block.inner[0], merge), merge)


def _body(drawing: Drawing, block: Block) -> str:
    """The inside of a sub-process as text."""
    inside = Drawing(count=drawing.count)
    first, last = inside.id("begin"), inside.id("finish")
    inside.add(start(first), end(last))
    inside.flow(_place(inside, block, first), last)
    drawing.count = inside.count
    return "".join(inside.elements)


def _part(drawing: Drawing, block: Block, before: str, inner: str = "") -> str:
    name = drawing.id("part")
    drawing.add(node("subProcess", name, inner + _body(drawing, block.inner[0])))
    drawing.flow(before, name)
    return name


def _manifold(drawing: Drawing, block: Block, before: str) -> str:
    return _part(drawing, block, before, many(over="pair", item=f"of{drawing.count}"))


def _bordered(drawing: Drawing, block: Block, before: str) -> str:
    """A sub-process with an event on its border; the event's own branch comes back only if it interrupts."""
    host = _part(drawing, block, before)
    edge = drawing.id("edge")
    drawing.add(boundary(edge, host, TRIGGERS[block.trigger], interrupting=block.interrupting))
    last = _place(drawing, block.inner[1], edge)
    if not block.interrupting:
        side = drawing.id("side")
        drawing.add(end(side))
        drawing.flow(last, side)
        return host
    merge = drawing.id("after")
    drawing.add(gateway(merge))
    drawing.flow(host, merge)
    drawing.flow(last, merge)
    return merge


def _handled(drawing: Drawing, block: Block, before: str) -> str:
    """A sub-process with an event sub-process in it."""
    name, handler = drawing.id("part"), drawing.id("handler")
    body = _body(drawing, block.inner[0])
    inside = Drawing(count=drawing.count)
    first, last = inside.id("on"), inside.id("finish")
    inside.add(starts(first, TRIGGERS[block.trigger], interrupting=block.interrupting), end(last))
    inside.flow(_place(inside, block.inner[1], first), last)
    drawing.count = inside.count
    drawing.add(node("subProcess", name, body + event_part(handler, *inside.elements)))
    drawing.flow(before, name)
    return name


def _stopped(drawing: Drawing, block: Block, before: str) -> str:
    """A sub-process of two branches; the end of the second terminates it."""
    name, split, first = drawing.id("part"), drawing.id("split"), drawing.id("begin")
    stop, plain, asked = drawing.id("stop"), drawing.id("finish"), drawing.id("task")
    inside = Drawing(count=drawing.count)
    inside.add(start(first), gateway(split, "parallel"), task(asked), end(stop, TERMINATE), end(plain))
    for source, target in ((first, split), (split, asked), (asked, stop)):
        inside.flow(source, target)
    entry = inside.id("branch")
    inside.add(script(entry, f"{entry} = v"))
    inside.flow(split, entry)
    inside.flow(_place(inside, block.inner[0], entry), plain)
    drawing.count = inside.count
    drawing.add(node("subProcess", name, "".join(inside.elements)))
    drawing.flow(before, name)
    return name


_PLACES = {
    "task": _task,
    "script": _script,
    "work": _work,
    "wait": _wait,
    "many": _many,
    "sequence": _sequence,
    "choice": partial(_branches, kind="exclusive"),
    "all": partial(_branches, kind="parallel"),
    "some": partial(_branches, kind="inclusive"),
    "first": _first,
    "loop": _loop,
    "part": _part,
    "manifold": _manifold,
    "bordered": _bordered,
    "handled": _handled,
    "stopped": _stopped,
}


def kinds(block: Block) -> Iterator[str]:
    """The kinds of blocks in a process, for the count of what was tried."""
    yield block.kind
    for inner in block.inner:
        yield from kinds(inner)
