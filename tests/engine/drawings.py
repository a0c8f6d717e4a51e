"""Small BPMN drawings for tests: elements as functions, flows as `a>b`, one file a process."""

from __future__ import annotations

import re
from html import escape
from itertools import pairwise

_HEAD = (
    'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:desk="urn:bpmdesk:1" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions" targetNamespace="urn:test"'
)
_ROOTS = {
    "message": '<bpmn:message id="{id}" name="{name}"/>',
    "signal": '<bpmn:signal id="{id}" name="{name}"/>',
    "error": '<bpmn:error id="{id}" name="{name}" errorCode="{name}"/>',
    "escalation": '<bpmn:escalation id="{id}" name="{name}" escalationCode="{name}"/>',
}


def drawing(*elements: str, key: str = "p", name: str = "Process") -> bytes:
    """A file with one process; messages, signals, errors that are referred to are declared by themselves."""
    body = "".join(elements)
    references = sorted(set(re.findall(r'(message|signal|error|escalation)Ref="(\1_([^"]+))"', body)))
    roots = "".join(_ROOTS[kind].format(id=ref, name=plain) for kind, ref, plain in references)
    process = f'<bpmn:process id="{key}" name="{name}" isExecutable="true">{body}</bpmn:process>'
    return f"<bpmn:definitions {_HEAD}>{roots}{process}</bpmn:definitions>".encode()


def flows(*pairs: str) -> str:
    """`a>b`, or `a>b: condition`; ids are `a_b`."""
    return "".join(_flow(pair) for pair in pairs)


def _flow(pair: str) -> str:
    ends, _, condition = pair.partition(":")
    source, target = (end.strip() for end in ends.split(">"))
    inner = f"<bpmn:conditionExpression>{escape(condition.strip())}</bpmn:conditionExpression>" if condition else ""
    ends = f'id="{source}_{target}" sourceRef="{source}" targetRef="{target}"'
    return f"<bpmn:sequenceFlow {ends}>{inner}</bpmn:sequenceFlow>"


def chain(*ids: str) -> str:
    return flows(*(f"{a}>{b}" for a, b in pairwise(ids)))


def node(tag: str, id: str, inner: str = "", extension: str = "", **attributes: str) -> str:
    texts = "".join(f' {key}="{escape(value)}"' for key, value in {"name": id.title(), **attributes}.items())
    extended = f"<bpmn:extensionElements>{extension}</bpmn:extensionElements>" if extension else ""
    return f'<bpmn:{tag} id="{id}"{texts}>{extended}{inner}</bpmn:{tag}>'


def start(id: str = "start") -> str:
    return node("startEvent", id)


def end(id: str = "end", definition: str = "") -> str:
    return node("endEvent", id, definition)


def user(id: str, *actions: str, status: str = "", extension: str = "", inner: str = "", **attributes: str) -> str:
    declared = "".join(action if action.startswith("<") else button(action) for action in actions)
    if status:
        declared = f'<desk:status code="{status}"/>' + declared
    return node("userTask", id, inner, declared + extension, **attributes)


def button(id: str, label: str = "", **attributes: str) -> str:
    texts = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f'<desk:action id="{id}" label="{label or id.title()}"{texts}/>'


def service(id: str, connector: str, result: str = "", extension: str = "", inner: str = "", **parameters: str) -> str:
    values = "".join(
        f'<spiffworkflow:parameter id="{key}" type="str" value="{escape(text)}"/>' for key, text in parameters.items()
    )
    variable = f' resultVariable="{result}"' if result else ""
    operator = (
        f'<spiffworkflow:serviceTaskOperator id="{connector}"{variable}>'
        f"<spiffworkflow:parameters>{values}</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
    )
    return node("serviceTask", id, inner, operator + extension)


def script(id: str, text: str) -> str:
    return node("scriptTask", id, f"<bpmn:script>{escape(text)}</bpmn:script>")


def gateway(id: str, kind: str = "exclusive", **attributes: str) -> str:
    return node(f"{kind}Gateway", id, **attributes)


def call(id: str, key: str) -> str:
    return node("callActivity", id, calledElement=key)


def subprocess(id: str, *elements: str) -> str:
    return node("subProcess", id, "".join(elements))


def boundary(id: str, on: str, definition: str, *, interrupting: bool = True, extension: str = "") -> str:
    cancel = "true" if interrupting else "false"
    return node("boundaryEvent", id, definition, extension, attachedToRef=on, cancelActivity=cancel)


def catch(id: str, definition: str) -> str:
    return node("intermediateCatchEvent", id, definition)


def throw(id: str, definition: str) -> str:
    return node("intermediateThrowEvent", id, definition)


def timer(text: str, kind: str = "timeDuration") -> str:
    return f"<bpmn:timerEventDefinition><bpmn:{kind}>{escape(text)}</bpmn:{kind}></bpmn:timerEventDefinition>"


def event(kind: str, name: str) -> str:
    """`event("message", "client_replied")`; an error's name is its code."""
    return f'<bpmn:{kind}EventDefinition {kind}Ref="{kind}_{name}"/>'


TERMINATE = "<bpmn:terminateEventDefinition/>"
