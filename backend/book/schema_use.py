"""Tables of what people say of meters, and what stopped a machine."""
