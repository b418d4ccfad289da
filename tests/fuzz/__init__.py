"""Whatever a stranger may send, read by what reads it first: only the documented errors may come out."""
