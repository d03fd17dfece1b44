"""The plans of the statements that a store really runs: recorded, explained, and walked."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from messenger_shared.postgres.database import Database, Row, Transaction

Parameters = Sequence[Any] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that a store ran, and the user it ran for."""

    sql: str
    parameters: Parameters
    user_id: int | None


class RecordingDatabase(Database):
    """A Database that records its statements."""

    def __init__(self, url: str) -> None:
        super().__init__(url, 1, "test")
        self.statements: list[Statement] = []

    async def rows(self, sql: str, parameters: Parameters = (), *, user_id: int | None = None) -> list[Row]:
        self.statements.append(Statement(sql, parameters, user_id))
        return await super().rows(sql, parameters, user_id=user_id)

    @contextlib.asynccontextmanager
    async def transaction(
        self, *, user_id: int | None = None, begin: str = "BEGIN"
    ) -> AsyncIterator[Transaction]:
        async with super().transaction(user_id=user_id, begin=begin) as transaction:
            yield _RecordingTransaction(transaction, self.statements, user_id)

    async def plans(self) -> list[Node]:
        """Runs every recorded statement once more and returns the plans; forgets the statements."""
        statements, self.statements = self.statements, []
        return [await self._explain(statement) for statement in statements]

    async def _explain(self, statement: Statement) -> Node:
        assert ";" not in statement.sql, "EXPLAIN would see the first statement alone"
        sql = "EXPLAIN (ANALYZE, FORMAT JSON) " + statement.sql
        [[found]] = await super().rows(sql, statement.parameters, user_id=statement.user_id)
        return Node(found[0]["Plan"])


class _RecordingTransaction(Transaction):
    def __init__(self, inner: Transaction, kept: list[Statement], user_id: int | None) -> None:
        self._inner = inner
        self._kept = kept
        self._user_id = user_id

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        self._kept.append(Statement(sql, parameters, self._user_id))
        return await self._inner.rows(sql, parameters)


class Node:
    """One node of a plan, with all below it."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found
        self.type: str = found["Node Type"]
        self.relation: str | None = found.get("Relation Name")
        self.children = [Node(child) for child in found.get("Plans", ())]

    def walk(self) -> Iterator[Node]:
        """Yields this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def rows(self) -> float:
        """Returns how many rows the node gave, over all its loops."""
        return float(self._found["Actual Rows"] * self._found["Actual Loops"])

    @property
    def rows_read(self) -> float:
        """Returns how many rows the node read, including those that a filter removed."""
        thrown = sum(value for name, value in self._found.items() if name.startswith("Rows Removed by"))
        return self.rows + float(thrown * self._found["Actual Loops"])

    def long_scans(self, rows: int) -> set[str]:
        """Returns the tables that are read from end to end, except those too small for an index to help."""
        scans = (node for node in self.walk() if node.type == "Seq Scan")
        return {str(node.relation) for node in scans if node.rows_read > rows}

    def read_of(self, table: str) -> float:
        """Returns how many rows of the table are read."""
        return sum(node.rows_read for node in self.walk() if node.relation == table)

    def sorted_rows(self) -> float:
        """Returns the largest number of rows that go into one sort."""
        sorts = [node for node in self.walk() if node.type in ("Sort", "Incremental Sort")]
        return max((child.rows for node in sorts for child in node.children), default=0)
