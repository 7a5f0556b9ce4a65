"""The pure core: wire contract, domain rules, estimators. No I/O, no clock, no logging, no threads, no globals."""
