"""The torture runner: a whole site of real processes, hurt by schedule; then every account is settled to the last row.

`schedule` says what is to go wrong and when, `faults` does it, `account` compares what devices, outboxes and journal
hold. Nothing here uses the code that it puts to the test: parts are processes, their files are read by plain SQL.
"""
