"""What developers are told of: events of their projects, recorded in the transaction in which they happen."""
