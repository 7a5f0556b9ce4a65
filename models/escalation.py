"""Who is told of an alert: the teams that answer for it, and of each the level that has been reached."""

from collections.abc import Iterable, Mapping

from models.alert import RANK, Severity
from models.alert_defaults import Settings
from models.declared_alerts import Team


def addressed(teams: Mapping[str, Team], settings: Settings, fleet: str | None) -> list[str]:
    """The teams that answer for an alert: those that its rule names, else those of its sort.

    `fleet` of the asset that it is about, None if it is about none: then the fleets of a team do not matter.
    """
    named = settings.teams
    mine = (ident for ident, team in teams.items() if (settings.sort in team.of if named is None else ident in named))
    return [ident for ident in mine if _is_of(teams[ident], fleet)]


def _is_of(team: Team, fleet: str | None) -> bool:
    return fleet is None or not team.fleets or fleet in team.fleets


def contacts(teams: Iterable[Team], level: int) -> list[str]:
    """Who is told at a level, from 1, each once."""
    return [*dict.fromkeys(ident for team in teams for ident in _level(team, level))]


def _level(team: Team, level: int) -> list[str]:
    return team.levels[level - 1] if level <= len(team.levels) else []


def is_last(teams: Iterable[Team], level: int) -> bool:
    """Whether nobody is left to be told after this level."""
    return all(level >= len(team.levels) for team in teams)


def is_for_digest(team: Team, severity: Severity) -> bool:
    """Whether an alert waits for the team's next digest instead of being told by itself."""
    return bool(team.digest_at) and RANK[severity] < RANK[team.digest_below]
