"""Random drawings made of nested blocks: sound as built, and unsound by one gateway of the wrong kind."""

from __future__ import annotations

import random

from tests.engine.lint.sketch import boundary, drawing, gateway, script, task, timer

SPLITS = ("exclusive", "parallel", "inclusive", "loop", "timed")


class _Blocks:
    """Nodes and arrows as they are drawn; every block has one way in and one way out."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 – drawings, not secrets
        self.nodes: list[str] = []
        self.arrows: list[str] = []
        self.joins: list[tuple[str, str]] = []
        self.count = 0

    def new(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def row(self, depth: int, start: str, end: str) -> None:
        """Blocks one after another between two nodes."""
        before = start
        for _ in range(self.dice.randint(1, 2)):
            first, last = self.block(depth)
            self.arrows.append(f"{before} > {first}")
            before = last
        self.arrows.append(f"{before} > {end}")

    def block(self, depth: int) -> tuple[str, str]:
        kind = self.dice.choice(("task", *SPLITS)) if depth else "task"
        return self.single() if kind == "task" else getattr(self, f"_{kind}")(depth - 1)

    def single(self) -> tuple[str, str]:
        name = self.new()
        self.nodes.append(self.dice.choice((task(id=name), script(id=name))))
        return name, name

    def _exclusive(self, depth: int) -> tuple[str, str]:
        return self._split("exclusive", depth)

    def _parallel(self, depth: int) -> tuple[str, str]:
        return self._split("parallel", depth)

    def _inclusive(self, depth: int) -> tuple[str, str]:
        return self._split("inclusive", depth)

    def _split(self, kind: str, depth: int) -> tuple[str, str]:
        split, join = self.new(), self.new()
        self.joins.append((kind, join))
        branches = [self.new() for _ in range(self.dice.randint(2, 3))]
        default = f'default="{split}_{branches[0]}"' if kind != "parallel" else ""
        self.nodes += [gateway(kind, split, default), f"@{join}:{kind}@"]
        for number, branch in enumerate(branches):
            self.nodes.append(script(id=branch))
            condition = "" if kind == "parallel" or not number else f" [x == {number}]"
            self.arrows.append(f"{split} > {branch}{condition}")
            self.row(depth, branch, join)
        return split, join

    def _loop(self, depth: int) -> tuple[str, str]:
        merge, rest, choice, back = self.new(), self.new(), self.new(), self.new()
        self.nodes += [gateway("exclusive", merge), task(id=rest), gateway("exclusive", choice), script(id=back)]
        self.row(depth, merge, rest)
        self.arrows += [f"{rest} > {choice}", f"{choice} > {back} [x == 1]", f"{back} > {merge}"]
        return merge, choice

    def _timed(self, depth: int) -> tuple[str, str]:
        work, edge, merge = self.new(), self.new(), self.new()
        self.nodes += [task(id=work), boundary(timer("PT1H"), id=edge, on=work), gateway("exclusive", merge)]
        self.arrows.append(f"{work} > {merge}")
        self.row(depth, edge, merge)
        return work, merge

    def file(self, wrong: tuple[str, str] | None) -> bytes:
        body = "".join(self.nodes)
        for kind, join in self.joins:
            drawn = {"exclusive": "parallel", "parallel": "exclusive"}[kind] if (kind, join) == wrong else kind
            body = body.replace(f"@{join}:{kind}@", gateway(drawn, join))
        return drawing(body, ";".join(self.arrows))


def _made(seed: int) -> _Blocks:
    blocks = _Blocks(seed)
    blocks.row(3, "start", "end")
    return blocks


def sound(seed: int) -> bytes:
    """A drawing whose joins are of the kind of their splits."""
    return _made(seed).file(None)


def unsound(seed: int) -> tuple[bytes, str, str] | None:
    """A drawing, the join that is of the wrong kind and the rule that must say so; None when it has no choice."""
    blocks = _made(seed)
    candidates = [each for each in blocks.joins if each[0] != "inclusive"]
    if not candidates:
        return None
    kind, join = wrong = blocks.dice.choice(candidates)
    return blocks.file(wrong), join, "join-waits-forever" if kind == "exclusive" else "branches-not-joined"


def rows(nodes: int) -> bytes:
    """A sound drawing of about so many nodes: blocks one after another."""
    blocks = _Blocks(nodes)
    before = "start"
    while len(blocks.nodes) < nodes - 12:
        first, last = blocks.block(1)
        blocks.arrows.append(f"{before} > {first}")
        before = last
    while len(blocks.nodes) < nodes - 2:
        first, last = blocks.single()
        blocks.arrows.append(f"{before} > {first}")
        before = last
    blocks.arrows.append(f"{before} > end")
    return blocks.file(None)
