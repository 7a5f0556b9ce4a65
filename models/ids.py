"""Ids of derived facts: UUIDv5 of the rule, the key it ran for and the evidence it rests on.

The same facts give the same id on every run and in every order of arrival; other evidence gives another id.
"""

from uuid import UUID, uuid5

NAMESPACE = UUID("5d1f3a2c-7a54-5c7e-9b7d-52c1d0f5a9e3")


def derived_id(rule: str, *parts: str) -> str:
    """The id of what `rule` derived for a key from evidence. Each part carries its length, so that none runs together.

    >>> derived_id("crossing", "a", "bc") == derived_id("crossing", "ab", "c")
    False
    """
    return str(uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in (rule, *parts))))


def is_derived(ident: str) -> bool:
    """Whether facts may come to have an id: a UUID of version 5. Who makes ids of their own takes others.

    >>> is_derived(derived_id("crossing", "a")), is_derived("order-7")
    (True, False)
    """
    try:
        return UUID(ident).version == 5  # noqa: PLR2004 - the version
    except ValueError:
        return False
