"""What would have happened: a changed version run over the history of closed tickets."""
