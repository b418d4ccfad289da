"""A whole class graded while processes are killed: `make soak`, and small in the gate."""
