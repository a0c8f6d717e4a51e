"""Link events: several throws lead to the one catch of their name in the same scope."""

from __future__ import annotations

import pytest

from engine.errors import DeploymentRefused
from tests.engine.drawings import catch, chain, drawing, end, flows, gateway, start, subprocess, throw, user
from tests.engine.twins import Twins


def link(name: str) -> str:
    return f'<bpmn:linkEventDefinition name="{name}"/>'


def test_both_throws_of_a_name_lead_to_its_catch_and_all_are_told_of() -> None:
    content = drawing(
        start(),
        user("work", "go"),
        gateway("choice", default="choice_away"),
        throw("away", link("A")),
        throw("off", link("A")),
        catch("here", link("A")),
        user("rest", "ok"),
        end(),
        chain("start", "work", "choice", "away"),
        flows("choice>off: way == 'off'"),
        chain("here", "rest", "end"),
    )
    for way, passed in (("off", "off"), ("other", "away")):
        twins = Twins(content)

        twins.complete("work", way=way)

        assert twins.waits == ["rest"]
        assert twins.trace[-5:] == [
            f"{passed} entered",
            f"{passed} completed",
            "here entered",
            "here completed",
            "rest entered",
        ]
        twins.complete("rest")
        assert twins.completed


def test_link_back_makes_a_loop() -> None:
    content = drawing(
        start(),
        catch("again", link("again")),
        user("work", "go"),
        gateway("choice", default="choice_end"),
        throw("back", link("again")),
        end(),
        user("first", "go"),
        chain("start", "first", "again", "work", "choice", "end"),
        flows("choice>back: action == 'back'"),
    )
    twins = Twins(content)
    twins.complete("first")

    for _ in range(4):
        twins.complete("work", action="back")
    twins.complete("work", action="done")

    assert twins.completed
    assert twins.trace.count("again completed") == 5


def test_links_of_a_name_in_two_scopes_have_nothing_in_common() -> None:
    inside = subprocess(
        "sub",
        start("s"),
        throw("t", link("A")),
        catch("c", link("A")),
        user("inner", "ok"),
        end("e"),
        chain("s", "t"),
        chain("c", "inner", "e"),
    )
    twins = Twins(
        drawing(
            start(),
            inside,
            throw("t0", link("A")),
            catch("c0", link("A")),
            user("outer", "ok"),
            end(),
            chain("start", "sub", "t0"),
            chain("c0", "outer", "end"),
        )
    )

    assert twins.waits == ["inner"]
    twins.complete("inner")
    assert twins.waits == ["outer"]


@pytest.mark.parametrize("catches", [(), ("one", "two")])
def test_link_without_exactly_one_catch_is_not_executed(catches: tuple[str, ...]) -> None:
    content = drawing(start(), throw("t", link("A")), *(catch(id, link("A")) for id in catches), end())

    with pytest.raises(DeploymentRefused, match="catching link"):
        Twins(content)
