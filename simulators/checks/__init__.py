"""What a running system must agree with the truth about, a module each."""
