"""Activities that run more than once: standard loops and multi-instances."""

from __future__ import annotations

from SpiffWorkflow.bpmn.specs.mixins import (
    ParallelMultiInstanceTaskMixin,
    SequentialMultiInstanceTaskMixin,
    StandardLoopTaskMixin,
)

from engine.bpmn.specs import Node


class StandardLoop(StandardLoopTaskMixin, Node):
    pass


class ParallelInstances(ParallelMultiInstanceTaskMixin, Node):
    pass


class SequentialInstances(SequentialMultiInstanceTaskMixin, Node):
    pass
