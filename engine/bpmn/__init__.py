"""Everything that knows BPMN files: the parser, the check, the codec of running workflows."""
