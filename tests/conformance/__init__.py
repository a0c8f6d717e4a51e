"""What the BPMN 2.0 standard and the workflow patterns ask of the engine, case by case."""
