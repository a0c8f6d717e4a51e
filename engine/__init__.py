"""A small BPMN engine over SpiffWorkflow: versions, instances, user tasks, timers, connectors."""
