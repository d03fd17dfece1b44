"""The SQLSTATEs with which tests make PostgreSQL refuse: for "try later", and for our own mistakes."""

from typing import Final

# Every code of these classes, including those that PostgreSQL has and psycopg2 doesn't know yet.
NOT_NOW_CODES: Final = (
    *("08000", "08001", "08003", "08004", "08006", "08007", "08P01"),
    *("25006", "25P02", "25P03", "25P04"),
    *("28000", "28P01"),
    "3D000",
    *("40000", "40001", "40002", "40003", "40P01"),
    *("53000", "53100", "53200", "53300", "53400"),
    *("55000", "55006", "55P02", "55P03", "55P04"),
    *("57000", "57014", "57P01", "57P02", "57P03", "57P04", "57P05"),
    *("58000", "58030", "58P01", "58P02", "58P03"),
    "72000",
)
MISTAKES: Final = (
    "0A000",
    "21000",
    *("22003", "22P02", "22021"),
    *("23502", "23503", "23514"),
    "25001",
    *("42501", "42601", "42703", "42P01"),
    "54000",
    "P0001",
    *("XX000", "XX001"),
)
