"""Every query that API and page make, in one place; each function is one transaction's worth of one or two queries."""
