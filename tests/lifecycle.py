"""The shipped life of a ticket as an analyst may change it: one step and one reminder more, one element renamed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository
from engine.models import ProcessDefinition

KEY = "ticket_lifecycle"
_FILE = Path(__file__).parent.parent / "processes" / "ticket_lifecycle.bpmn"
_FLOW = 'id="flow_accepted_record_reaction" sourceRef="accepted" targetRef="record_reaction"'
_MORE = """<bpmn:userTask id="agree" name="Согласовать">
      <bpmn:extensionElements>
        <desk:status code="accepted"/><desk:action id="agreed" label="Согласовано" style="primary"/>
      </bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:boundaryEvent id="forgotten" name="Забыли" attachedToRef="accepted" cancelActivity="false">
      <bpmn:timerEventDefinition><bpmn:timeDuration>PT30M</bpmn:timeDuration></bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:endEvent id="reminded_of"/>
    <bpmn:sequenceFlow id="flow_forgotten" sourceRef="forgotten" targetRef="reminded_of"/>
    <bpmn:sequenceFlow id="flow_accepted_agree" sourceRef="accepted" targetRef="agree"/>
    <bpmn:sequenceFlow id="flow_agree" sourceRef="agree" targetRef="record_reaction"/>
    """


def changed() -> bytes:
    """After "accepted" somebody agrees first; whoever waits there is reminded; "in_progress" is "solving" now."""
    text = _FILE.read_text()
    first = text.index("<bpmn:userTask")
    text = text[:first] + _MORE + text[first:]
    text = text.replace(f"    <bpmn:sequenceFlow {_FLOW}/>\n", "")
    text = text.replace("<bpmn:outgoing>flow_accepted_record_reaction</bpmn:outgoing>", "")
    text = text.replace("<bpmn:incoming>flow_accepted_record_reaction</bpmn:incoming>", "")
    return text.replace('"in_progress"', '"solving"').replace('code="solving"', 'code="in_progress"').encode()


def deploy_changed(session: Session) -> tuple[ProcessDefinition, ProcessDefinition]:
    """Store the changed life beside the shipped one and make it the active one; both versions."""
    before = repository.latest(session, KEY)
    stored = repository.store(session, {_FILE.name: changed()}, author="tests")
    after = next(definition for definition in stored.definitions if definition.key == KEY)
    for definition in session.scalars(select(ProcessDefinition).where(ProcessDefinition.key == KEY)):
        definition.state = "active" if definition is after else "retired"
    session.flush()
    return before, after
