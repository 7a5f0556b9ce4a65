"""The virtual locations: the other side of what enters and leaves; the register has all others."""

SUPPLIER, CUSTOMER = "supplier", "customer"
