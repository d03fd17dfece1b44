"""Users who come with a token, in real PostgreSQL: new and known ones, with and without claims."""

from __future__ import annotations

from typing import Any

import pytest

from chat_api.storage.users import PgUsers
from messenger_shared.postgres.database import Database


def by_id(number: int) -> dict[str, Any]:
    return {"id": number, "issued_at": 1.0}


def by_external_id(number: int) -> dict[str, Any]:
    return {"external_id": f"user {number}", "issued_at": 1.0}


@pytest.mark.parametrize("user", [by_id, by_external_id])
async def test_known_new_and_claiming_users_are_answered_in_order(database: Database, user: Any) -> None:
    users = PgUsers(database)
    [known] = await users.admit([user(1)])
    batch = [user(2), user(1) | {"name": "Ada"}, user(1), user(3) | {"name": "Bo"}, user(2)]
    two, claiming, one, three, two_again = await users.admit(batch)
    assert [claiming.id, one.id, two_again.id] == [known.id, known.id, two.id]
    assert len({known.id, two.id, three.id}) == 3
    assert claiming.changed
    assert three.changed
    assert not two.changed
    names = {one.id: one.name for one in (await users.profiles(-1, [known.id, two.id, three.id])).values()}
    assert names == {known.id: "Ada", two.id: None, three.id: "Bo"}
    assert (await users.admit([user(1), user(2)]))[0] == known


@pytest.mark.parametrize("user", [by_id, by_external_id])
@pytest.mark.parametrize("claims", [{}, {"name": "Ada"}])
async def test_a_deactivated_user_is_answered_so(
    database: Database, user: Any, claims: dict[str, Any]
) -> None:
    users = PgUsers(database)
    one, two = await users.admit([user(1), user(2)])
    await users.set_deactivated(one.id, deactivated=True)
    admitted = await users.admit([user(1) | claims, user(2) | claims])
    assert [(each.id, each.deactivated) for each in admitted] == [(one.id, True), (two.id, False)]
