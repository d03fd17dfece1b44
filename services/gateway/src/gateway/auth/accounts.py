"""Knows the users behind tokens: their ids, and whether they are deactivated."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations import users
from messenger_shared.contract.tokens import Identity, InvalidToken
from messenger_shared.rpc.batch_loader import BatchLoader
from messenger_shared.rpc.client import RpcClient

# For this long a gateway may not notice that a user was deactivated, if the message about it was lost.
KEPT_S: Final = 60.0
# If chat-api doesn't answer within DEADLINE_S, a numeric id is trusted for TRUSTED_S; then it is asked again.
DEADLINE_S: Final = 2.0
TRUSTED_S: Final = 5.0
MAX_KEPT: Final = 100_000
ASKED_AT_ONCE: Final = 100


class _Claims(NamedTuple):
    """What a token says of its user. The id is 0 when the token has the host's own id."""

    user_id: int
    external_id: str | None
    name: str | None
    picture: str | None
    issued_at: float


class _Admitted(NamedTuple):
    claims: _Claims
    user_id: int
    until: float


class Accounts:
    """Asks chat-api for the users of tokens, and keeps the answers for KEPT_S."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._loader = BatchLoader(self._ask, ASKED_AT_ONCE)
        self._kept: dict[int | str, _Admitted] = {}
        # User id -> key in `_kept`.
        self._keys: dict[int, int | str] = {}
        self._revocations = 0

    async def stop(self) -> None:
        """Cancels the questions under way."""
        await self._loader.stop()

    async def admit(self, identity: Identity) -> Identity:
        """The identity with the user's id. The first token of a user makes the user.

        Raises InvalidToken if the user is deactivated, and AppError when chat-api doesn't answer.
        """
        now = asyncio.get_running_loop().time()
        key = identity.user_id or identity.external_id or ""
        kept = self._kept.get(key)
        if kept is not None and now < kept.until and _says_nothing_new(kept.claims, identity):
            return _with_id(identity, kept.user_id)
        claims = _Claims(
            identity.user_id, identity.external_id, identity.name, identity.picture, identity.issued_at
        )
        revocations = self._revocations
        try:
            user_id, is_deactivated = await self._loader.get(claims)
        except AppError:
            if not identity.user_id:
                raise
            # What a user without chat-api may do needs no more than the id.
            self._keep(key, _Admitted(claims, identity.user_id, now + TRUSTED_S), revocations)
            return identity
        if is_deactivated:
            self._drop(user_id)
            raise InvalidToken("the user is deactivated")
        self._keep(key, _Admitted(claims, user_id, now + KEPT_S), revocations)
        return _with_id(identity, user_id)

    def forget(self, user_id: int) -> None:
        """Asks chat-api again for this user's next token: their tokens were revoked."""
        self._revocations += 1
        self._drop(user_id)

    def _drop(self, user_id: int) -> None:
        self._kept.pop(self._keys.pop(user_id, user_id), None)

    def _keep(self, key: int | str, admitted: _Admitted, revocations: int) -> None:
        """Keeps an answer, unless it may be from before a revocation that came meanwhile."""
        if self._revocations != revocations:
            return
        self._kept.pop(key, None)
        if len(self._kept) >= MAX_KEPT:
            oldest = self._kept.pop(next(iter(self._kept)))
            self._keys.pop(oldest.user_id, None)
        self._kept[key] = admitted
        self._keys[admitted.user_id] = key

    async def _ask(self, claims: Sequence[_Claims]) -> Mapping[_Claims, tuple[int, bool]]:
        answer = await self._rpc.ask(
            users.ADMIT.service,
            users.ADMIT.name,
            {"users": [_to_wire(one) for one in claims]},
            key=str(claims[0].user_id),
            deadline_s=DEADLINE_S,
        )
        return {one: (row[0], row[1]) for one, row in zip(claims, answer, strict=True)}


def _with_id(identity: Identity, user_id: int) -> Identity:
    """The same object if it has the id already: the verifier and the user's sockets then share it."""
    return identity if identity.user_id == user_id else identity._replace(user_id=user_id)


def _says_nothing_new(claims: _Claims, identity: Identity) -> bool:
    return (claims.name, claims.picture) == (identity.name, identity.picture)


def _to_wire(claims: _Claims) -> dict[str, Any]:
    fields: dict[str, Any] = {"issued_at": claims.issued_at}
    if claims.user_id:
        fields["id"] = claims.user_id
    else:
        fields["external_id"] = claims.external_id
    if claims.name is not None:
        fields["name"] = claims.name
    if claims.picture is not None:
        fields["avatar_url"] = claims.picture
    return fields
