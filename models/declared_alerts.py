"""What people declare of alerts: who is told, in which teams and when, and how a rule behaves here.

A web address to post to, and passwords, are no declarations: they are in the backend's configuration, by name.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from models.alert import Severity
from models.declared_stock import Id, Name

Sort = Literal["stock", "assets", "devices"]
"""What a rule is about; `devices` is what belongs to neither module."""
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)")]
EachTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]|\*):[0-5][0-9]$(?!\n)")]
"""A time of day; `*:05` is five past every hour."""
Address = Annotated[str, Meta(max_length=254, pattern=r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]+$(?!\n)")]
"""An e-mail address as RFC 5321 has it without quotes: nothing in it can end a header or a command."""
Seconds = Annotated[float, Meta(ge=0, le=2_592_000)]


class Quiet(Struct, frozen=True, forbid_unknown_fields=True):
    """From a time of day to another, over midnight if that is earlier: only what is critical is told at once."""

    begin: TimeOfDay
    end: TimeOfDay


class Contact(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody who is told of alerts."""

    name: Name
    email: Address | None = None
    webhook: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """The name of a `[webhook.NAME]` of the backend's configuration."""
    time_zone: Name = "UTC"
    quiet: Quiet | None = None


class Team(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who answers for some alerts. The first level is told at once, each further one when nobody has answered."""

    name: Name
    of: Annotated[list[Sort], Meta(min_length=1)]
    """The sorts of alerts that are its own, unless a rule names its teams."""
    levels: Annotated[list[Annotated[list[Id], Meta(min_length=1, max_length=50)]], Meta(min_length=1, max_length=3)]
    fleets: Annotated[list[Id], Meta(max_length=100)] = []
    """Of alerts and plans about an asset only those of these fleets; empty: all."""
    time_zone: Name = "UTC"
    digest_at: Annotated[list[EachTime], Meta(max_length=24)] = []
    """When it gets one mail about what stands of little severity; empty: each of those is told by itself."""
    digest_below: Literal["warning", "critical"] = "warning"
    """Alerts below this severity are left to the digest."""


class AlertRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a rule behaves here; its id is the rule's name. What is left out is as built in (models.alert_defaults)."""

    off: bool = False
    """It raises nothing; what stands of it and is a state closes."""
    severity: Severity | None = None
    """Every alert of it has this severity, whatever the rule says."""
    steady_s: Seconds | None = None
    """An alert is raised once it was called for so long."""
    count: Annotated[int, Meta(ge=1, le=100)] | None = None
    """... and so many times in a row."""
    clear_share: Annotated[float, Meta(gt=0, le=1)] | None = None
    """An alert closes below this share of the level that raises it, where the rule has a level."""
    escalate_after_s: Seconds | None = None
    """The next level is told when nobody answered for so long; 0: never."""
    teams: Annotated[list[Id], Meta(max_length=10)] | None = None
    """Who is told instead of the teams of its sort; an empty list: nobody."""
