"""Activities that run more than once: standard loops and multi-instances."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Container, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from SpiffWorkflow.bpmn.exceptions import WorkflowTaskException
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.bpmn.events import Coded
from engine.bpmn.specs import BoundarySplit, Node
from engine.bpmn.variables import apply_changes, changes, share

MOST_INSTANCES = 1_000
COUNTER = "loopCounter"
"""The number of an instance or a lap, from 1; a variable inside it."""
_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED


class Repeated(LoopTask, Node):
    """The activity as a whole; its instances are tasks below it. It is under way until the last of them is over."""

    task_spec: str
    """The name of the node that each instance runs."""

    def merge_child(self, workflow: Any, child: Task) -> None:
        """Called when an instance has completed."""
        my_task = child.parent
        if my_task._state == TaskState.STARTED:
            self._take(my_task, child)
            self._go_on(my_task, child)

    def _take(self, my_task: Task, child: Task) -> None:
        raise NotImplementedError

    def _go_on(self, my_task: Task, child: Task) -> None:
        raise NotImplementedError

    def _begin(self, my_task: Task, number: int, key: Any, inner: Mapping[str, Any]) -> None:
        instance = my_task._add_child(self._wf_spec.task_specs[self.task_spec], TaskState.FUTURE)
        instance.triggered = True
        instance.internal_data.update(number=number, key=key, inner={**inner, COUNTER: number})
        instance.task_spec._update(instance)

    def _finish(self, my_task: Task) -> None:
        """The whole is over; instances that still run are cancelled."""
        self._withdraw(my_task)
        share(my_task, changes(my_task.parent.data, my_task.data))
        my_task._set_state(TaskState.READY)

    def _on_cancel(self, my_task: Task) -> None:
        self._withdraw(my_task)
        super()._on_cancel(my_task)

    def _withdraw(self, my_task: Task) -> None:
        for instance in self._instances(my_task):
            if instance._state & _LIVE:
                instance.cancel()

    def _holds(self, my_task: Task, condition: str, names: Mapping[str, Any]) -> bool:
        return bool(my_task.workflow.script_engine.evaluate(my_task, condition, names))


class StandardLoop(Repeated):
    """Lap after lap while its condition holds, at most `maximum` of them."""

    def __init__(
        self,
        wf_spec: Any,
        bpmn_id: str,
        task_spec: str,
        maximum: int | None,
        condition: str | None,
        test_before: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.task_spec = task_spec
        self.maximum = maximum
        self.condition = condition
        self.test_before = test_before

    def _update_hook(self, my_task: Task) -> bool:
        super()._update_hook(my_task)
        my_task.internal_data = {"done": 0}
        if self.test_before and self._is_over(my_task):
            return True
        my_task._set_state(TaskState.STARTED)
        self._begin(my_task, 1, 0, {})
        return False

    def _take(self, my_task: Task, child: Task) -> None:
        my_task.internal_data["done"] += 1
        apply_changes(my_task.data, _outside(child.data, {COUNTER}, my_task.data), my_task.data)

    def _go_on(self, my_task: Task, child: Task) -> None:
        if self._is_over(my_task):
            self._finish(my_task)
        else:
            done = my_task.internal_data["done"]
            self._begin(my_task, done + 1, done, {})

    def _is_over(self, my_task: Task) -> bool:
        done = my_task.internal_data["done"]
        if self.maximum is not None and done >= self.maximum:
            return True
        return self.condition is not None and not self._holds(my_task, self.condition, {COUNTER: done})


@dataclass
class Instances:
    """What the drawing says about a multi-instance."""

    is_sequential: bool
    cardinality: str | None = None
    collection: str | None = None
    item: str | None = None
    output: str | None = None
    output_item: str | None = None
    completion: str | None = None
    behavior: str = "All"
    """All | None | One | Complex."""
    event: EventDefinition | None = None
    """Thrown at each completion (None) or at the first one (One)."""
    definitions: list[tuple[str, EventDefinition]] = field(default_factory=list)
    """Conditions and the events that are thrown when they hold (Complex)."""


class MultiInstance(Repeated):
    """One instance for each item of a collection, or a number of them; in parallel or one after the other.

    Conditions see the counters of the standard. What an instance changed becomes part of the whole when it completes,
    or its output item alone when the drawing names an output collection; item and counter stay inside.
    """

    def __init__(self, wf_spec: Any, bpmn_id: str, instances: Instances, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.task_spec = ""
        self.drawn = instances

    def _update_hook(self, my_task: Task) -> bool:
        super()._update_hook(my_task)
        items = self._items(my_task)
        my_task.internal_data = {"count": len(items), "done": 0, "begun": 0}
        if self._collects and self.drawn.output != self.drawn.collection:
            self._lay_output(my_task)
        if not items:
            return True
        my_task._set_state(TaskState.STARTED)
        if self.drawn.is_sequential:
            my_task.internal_data["items"] = items
        for item in items[:1] if self.drawn.is_sequential else items:
            self._begin_item(my_task, item)
        return False

    @property
    def _collects(self) -> bool:
        return self.drawn.output is not None and self.drawn.output_item is not None

    def _items(self, my_task: Task) -> list[list[Any]]:
        """Keys or positions with the items, in their order."""
        if self.drawn.collection is None:
            return [[position, position] for position in range(self._cardinality(my_task))]
        found = self._collection(my_task)
        if not isinstance(found, list | tuple | dict):
            kind = type(found).__name__
            raise WorkflowTaskException(f"Expected a list in {self.drawn.collection}, got {kind}", task=my_task)
        _hold(len(found), my_task)
        return [list(pair) for pair in (found.items() if isinstance(found, dict) else enumerate(found))]

    def _collection(self, my_task: Task) -> Any:
        name = self.drawn.collection
        return my_task.data[name] if name in my_task.data else my_task.workflow.script_engine.evaluate(my_task, name)

    def _cardinality(self, my_task: Task) -> int:
        value = my_task.workflow.script_engine.evaluate(my_task, self.drawn.cardinality)
        if not isinstance(value, int) or isinstance(value, bool):
            raise WorkflowTaskException(f"Expected a whole number of instances, got {value!r}", task=my_task)
        _hold(value, my_task)
        return value

    def _lay_output(self, my_task: Task) -> None:
        is_keyed = self.drawn.collection is not None and isinstance(self._collection(my_task), dict)
        my_task.data[self.drawn.output] = {} if is_keyed else []
        if not is_keyed:
            my_task.internal_data["places"] = []

    def _begin_item(self, my_task: Task, item: Sequence[Any]) -> None:
        key, value = item
        my_task.internal_data["begun"] += 1
        inner = {self.drawn.item: copy(value)} if self.drawn.item else {}
        self._begin(my_task, my_task.internal_data["begun"], key, inner)

    def _take(self, my_task: Task, child: Task) -> None:
        my_task.internal_data["done"] += 1
        if self._collects:
            self._put(my_task, child)
        else:
            before = my_task.data if self.drawn.is_sequential else my_task.parent.data
            apply_changes(before, _outside(child.data, {COUNTER, self.drawn.item}, before), my_task.data)

    def _put(self, my_task: Task, child: Task) -> None:
        """Place the output of an instance where its item stands among those that completed so far."""
        name = self.drawn.output_item
        if name not in child.data:
            raise WorkflowTaskException(f"Expected the output item {name}, but the instance has none", task=child)
        outputs = copy(my_task.data[self.drawn.output])
        places = my_task.internal_data.get("places")
        if places is None:
            outputs[child.internal_data["key"]] = child.data[name]
        else:
            position = bisect(places, child.internal_data["number"])
            places.insert(position, child.internal_data["number"])
            outputs.insert(position, child.data[name])
        my_task.data[self.drawn.output] = outputs

    def _go_on(self, my_task: Task, child: Task) -> None:
        self._throw(my_task, child)
        begun, count = my_task.internal_data["begun"], my_task.internal_data["count"]
        if _is_interrupted(my_task):
            return
        if self.drawn.completion and self._holds(my_task, self.drawn.completion, self._names(my_task, child)):
            self._finish(my_task)
        elif begun < count:
            self._begin_item(my_task, my_task.internal_data["items"][begun])
        elif self._active(my_task) == 0:
            self._finish(my_task)

    def _throw(self, my_task: Task, child: Task) -> None:
        behavior, event = self.drawn.behavior, self.drawn.event
        if event and (behavior == "None" or (behavior == "One" and my_task.internal_data["done"] == 1)):
            throw_from(my_task, event)
        for condition, one in self.drawn.definitions:
            if self._holds(my_task, condition, self._names(my_task, child)):
                throw_from(my_task, one)

    def _names(self, my_task: Task, child: Task) -> dict[str, Any]:
        """What a condition sees when an instance has completed."""
        done, begun = my_task.internal_data["done"], my_task.internal_data["begun"]
        active = self._active(my_task)
        return {
            **child.data,
            **my_task.data,
            **{name: child.data[name] for name in (COUNTER, self.drawn.item) if name in child.data},
            "numberOfInstances": my_task.internal_data["count"],
            "numberOfActiveInstances": active,
            "numberOfCompletedInstances": done,
            "numberOfTerminatedInstances": begun - done - active,
        }

    def _active(self, my_task: Task) -> int:
        return sum(1 for instance in self._instances(my_task) if instance._state & _LIVE)


def throw_from(my_task: Task, event: EventDefinition) -> None:
    """Throw at an activity that goes on: its own boundary events may catch it."""
    if not (isinstance(event, Coded) and event.throw_out_of(my_task)):
        event.throw(my_task)


def _outside(inner: Mapping[str, Any], names: Container[str | None], outer: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of an instance, with the outer values of the `names` that belong to it alone."""
    return {
        **{name: value for name, value in inner.items() if name not in names},
        **{name: value for name, value in outer.items() if name in names},
    }


def _hold(count: int, my_task: Task) -> None:
    if not 0 <= count <= MOST_INSTANCES:
        raise WorkflowTaskException(f"Expected 0 to {MOST_INSTANCES} instances, got {count}", task=my_task)


def _is_interrupted(my_task: Task) -> bool:
    """Whether a boundary event of the activity has fired that will cancel it."""
    around = my_task.parent.children if isinstance(my_task.parent.task_spec, BoundarySplit) else ()
    return any(getattr(task.task_spec, "cancel_activity", False) and task._state == TaskState.READY for task in around)


def adopt(my_task: Task) -> None:
    """Take over the bookkeeping of an activity that was begun under the first format of states."""
    old, spec = my_task.internal_data, my_task.task_spec
    done = len(old.get("merged", ()))
    live = [task for task in spec._instances(my_task) if task._state & _LIVE]
    my_task.internal_data = {"done": done, "begun": done + len(live), "count": done + len(live)}
    for number, task in enumerate(live, done + 1):
        key = task.internal_data.get("key_or_index", number - 1)
        task.internal_data = {"number": key + 1 if isinstance(key, int) else number, "key": key}
    if isinstance(spec, MultiInstance):
        _adopt_items(my_task, old)


def _adopt_items(my_task: Task, old: Mapping[str, Any]) -> None:
    spec, now = my_task.task_spec, my_task.internal_data
    if spec.drawn.is_sequential:
        if spec.drawn.collection is None:
            pairs = [[position, position] for position in range(old.get("cardinality", now["begun"]))]
        else:
            found = my_task.data.get(spec.drawn.collection) or []
            pairs = [list(pair) for pair in (found.items() if isinstance(found, dict) else enumerate(found))]
        now.update(items=pairs, count=len(pairs))
    if spec._collects and isinstance(my_task.data.get(spec.drawn.output), list):
        now["places"] = list(range(1, now["done"] + 1))
