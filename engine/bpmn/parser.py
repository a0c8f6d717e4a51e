"""From a BPMN file to what the library executes, with the desk's own node and event classes only."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser import task_parsers
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import CallActivity, SubWorkflowTask

from engine.bpmn import anatomy, compensation, event_parsers, gateways, scopes, specs, xml
from engine.bpmn.extensions import called_decision, event_kind, extension, processes
from engine.bpmn.flow_parsers import Flows, condition_of
from engine.bpmn.loop_parsers import Repeatable
from engine.bpmn.scope_parsers import ScopeParser
from engine.errors import DeploymentRefused, Problem

# The library parses flow by flow and recursively; 400 nodes in a row need about four frames each.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))


@dataclass(frozen=True)
class Compiled:
    """One process ready to run: its own spec and those of its embedded sub-processes, by name."""

    key: str
    specs: dict[str, Any]


@lru_cache(maxsize=256)
def compiled(content: bytes, key: str) -> Compiled:
    """The process `key` of this file; the same bytes are parsed once in a process of the server.

    Raises XmlRefused or DeploymentRefused.
    """
    return compile_root(xml.read(content, key), key)


def compile_root(root: etree._Element, key: str) -> Compiled:
    """The process `key` of a file that was read already; raises DeploymentRefused."""
    if key not in [process.get("id") for process in processes(root)]:
        raise DeploymentRefused([_problem(f"Expected the process {key}, but the file does not hold it", root)])
    parser = _Parser()
    try:
        parser.add_bpmn_xml(root)
        parser.get_spec(key)
        return Compiled(key, _renamed(key, _embedded(parser, key)))
    except ValidationException as error:
        raise DeploymentRefused([_problem(str(error).rstrip(". "), root, error.id)]) from error
    except (RecursionError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise DeploymentRefused([_problem(f"Expected a process that can be executed, but {error!r}", root)]) from error


def _embedded(parser: BpmnParser, key: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    pending = [key]
    while pending:
        name = pending.pop()
        found[name] = spec = parser.get_spec(name)
        pending += [
            task.spec
            for task in spec.task_specs.values()
            if isinstance(task, SubWorkflowTask) and not isinstance(task, CallActivity)
        ]
    return found


def _renamed(key: str, found: dict[str, Any]) -> dict[str, Any]:
    """Embedded sub-processes as `key/id`: ids are unique in one file only, instances combine several."""
    names = {name: name if name == key else f"{key}/{name}" for name in found}
    for spec in found.values():
        spec.name = names[spec.name]
        for task in list(spec.task_specs.values()):
            if isinstance(task, SubWorkflowTask) and not isinstance(task, CallActivity):
                task.spec = names[task.spec]
            if isinstance(task, LoopTask):
                # The library connects at run time; specs are shared by threads, so it is done here, once.
                child = spec.task_specs[task.task_spec]
                child.completed_event.connect(task.merge_child)
    return {spec.name: spec for spec in found.values()}


def _problem(text: str, root: etree._Element, element_id: str | None = None) -> Problem:
    node = next((e for e in root.iter() if element_id and e.get("id") == element_id), None)
    return Problem(
        "not-executable",
        "error",
        f"Процесс не может быть исполнен: {text}",
        text,
        element_id or None,
        None if node is None else node.get("name"),
        node.sourceline if node is not None and isinstance(node.sourceline, int) else None,
    )


class _Activity(Repeatable):
    """What activities have around them, in the desk's own classes: repetition and boundary events."""

    def _add_boundary_event(self, children: list[etree._Element]) -> Any:
        handler = anatomy.compensated(anatomy.scope_of(self.node)).get(self.bpmn_id)
        if handler is not None:
            self.task.completed_event.connect(compensation.remember_activity(handler.get("id", "")))
        catching = [event for event in children if event_kind(event) != "compensate"]
        return self._split(catching) if catching else self.task

    def _split(self, children: list[etree._Element]) -> Any:
        split = specs.BoundarySplit(self.spec, f"{self.bpmn_id}.BoundaryEventSplit", lane=self.task.lane)
        name = f"{self.bpmn_id}.BoundaryEventJoin"
        join = specs.BoundaryJoin(self.spec, name, lane=self.task.lane, split_task=split.name, cancel=True)
        for branch in (self.task, *(self.process_parser.parse_node(event) for event in children)):
            split.connect(branch)
            branch.connect(join)
        return split


class _TaskParser(_Activity, TaskParser):
    pass


class _ScriptTaskParser(_Activity, task_parsers.ScriptTaskParser):
    pass


class _CallActivityParser(_Activity, task_parsers.CallActivityParser):
    pass


class _ServiceTaskParser(_TaskParser):
    def create_task(self) -> Any:
        task = super().create_task()
        operator = extension(self.node, xml.SPIFF, "serviceTaskOperator")
        if operator is None or not operator.get("id"):
            raise ValidationException("Expected a service task with an operator, but it names none", self.node)
        task.connector = operator.get("id")
        task.result_variable = operator.get("resultVariable") or None
        for parameter in operator.iter(f"{{{xml.SPIFF}}}parameter"):
            task.parameters[parameter.get("id")] = (parameter.get("value") or "").strip()
        job = extension(self.node, xml.DESK, "job")
        task.in_background = job is not None and job.get("async") == "true"
        return task


class _BusinessRuleTaskParser(_TaskParser):
    def create_task(self) -> Any:
        task = super().create_task()
        task.decision = called_decision(self.node)
        result = extension(self.node, xml.DESK, "result")
        task.result_variable = result.get("variable") if result is not None else None
        return task


class _SubProcessParser(_Activity, task_parsers.SubWorkflowParser):
    def create_task(self) -> Any:
        name = task_parsers.SubprocessParser.get_subprocess_spec(self)
        kind = scopes.Handler if anatomy.is_event_sub_process(self.node) else self.spec_class
        task = kind(self.spec, self.bpmn_id, subworkflow_spec=name, **self.bpmn_attributes)
        if self.node in anatomy.undoable_scopes(anatomy.scope_of(self.node)):
            task.completed_event.connect(compensation.remember_scope(f"{self.bpmn_id}.undoing"))
        return task


class _MessageTaskParser(_Activity, event_parsers.EventParser):
    """Send and receive tasks name their message on themselves."""

    def definition(self) -> EventDefinition:
        return self._message(self.node)


class _GatewayParser(Flows, TaskParser):
    pass


class _ConditionalGatewayParser(_GatewayParser):
    def connect_outgoing(self, following: Any, flow: etree._Element, is_default: bool) -> None:
        is_only = len(self.process_parser.get_outgoing_sequence_flows(self.bpmn_id)) == 1
        if not (is_default or is_only or condition_of(flow)):
            raise ValidationException("Expected a condition on every flow but the default one", flow)
        super().connect_outgoing(following, flow, is_default or (is_only and not condition_of(flow)))


class _Parser(BpmnParser):
    """The desk's map of elements; what is not in it is refused."""

    PROCESS_PARSER_CLASS = ScopeParser
    PARSER_CLASSES = {  # noqa: RUF012 - the library's own protocol
        full_tag("startEvent"): (event_parsers.StartEventParser, specs.StartEvent),
        full_tag("endEvent"): (event_parsers.EndEventParser, specs.EndEvent),
        full_tag("boundaryEvent"): (event_parsers.BoundaryEventParser, specs.BoundaryEvent),
        full_tag("intermediateCatchEvent"): (event_parsers.CatchEventParser, specs.IntermediateCatchEvent),
        full_tag("intermediateThrowEvent"): (event_parsers.ThrowEventParser, specs.IntermediateThrowEvent),
        full_tag("eventBasedGateway"): (event_parsers.EventGatewayParser, gateways.EventBasedGateway),
        full_tag("receiveTask"): (_MessageTaskParser, specs.ReceiveTask),
        full_tag("sendTask"): (_MessageTaskParser, specs.SendTask),
        full_tag("task"): (_TaskParser, specs.PassTask),
        full_tag("userTask"): (_TaskParser, specs.UserTask),
        full_tag("manualTask"): (_TaskParser, specs.UserTask),
        full_tag("serviceTask"): (_ServiceTaskParser, specs.ServiceTask),
        full_tag("businessRuleTask"): (_BusinessRuleTaskParser, specs.BusinessRuleTask),
        full_tag("scriptTask"): (_ScriptTaskParser, specs.ScriptTask),
        full_tag("subProcess"): (_SubProcessParser, specs.SubProcess),
        full_tag("callActivity"): (_CallActivityParser, specs.CallActivity),
        full_tag("exclusiveGateway"): (_ConditionalGatewayParser, gateways.ExclusiveGateway),
        full_tag("inclusiveGateway"): (_ConditionalGatewayParser, gateways.InclusiveGateway),
        full_tag("parallelGateway"): (_GatewayParser, gateways.ParallelGateway),
    }
    OVERRIDE_PARSER_CLASSES: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(spec_descriptions={})

    def _add_diagram_indexes(self, bpmn: etree._Element) -> None:
        """Conditions are tried in the order of the file, wherever the shapes were dragged to."""
        self.document_lanes[self._document_key(bpmn)] = {}
        self.document_positions[self._document_key(bpmn)] = {}
