"""How each rule behaves now, and who answers for its alerts: the built-in table with what the register says instead."""

from collections.abc import Mapping
from functools import lru_cache

from backend.rules import sort_of
from models.alert_defaults import Settings, settings
from models.declared_alerts import AlertRule, Contact, Team
from models.register import Register


def settings_of(register: Register, rule: str, at: int) -> Settings:
    """The settings of a rule at a time."""
    return _settings(register, rule, register.period(at))


@lru_cache(maxsize=256)
def _settings(register: Register, rule: str, at: int) -> Settings:
    declared = register.get("rules", rule, at)
    return settings(rule, sort_of(rule), declared if isinstance(declared, AlertRule) else None)


def teams_of(register: Register, at: int) -> Mapping[str, Team]:
    """Every team at a time."""
    return {ident: body for ident, body in register.all("teams", at).items() if isinstance(body, Team)}


def contact_of(register: Register, ident: str, at: int) -> Contact | None:
    """One contact at a time."""
    body = register.get("contacts", ident, at)
    return body if isinstance(body, Contact) else None
