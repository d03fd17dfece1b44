"""Tests of the log on the terminal."""

import os
import re

from messenger_local.logline import Line
from messenger_local.terminal import Terminal


def printed(*lines: Line, colour: bool = False) -> str:
    """Returns what a terminal shows of `lines`."""
    reader, writer = os.pipe()
    terminal = Terminal(writer, colour=colour)
    for line in lines:
        terminal.show("gateway", line)
    terminal.close()
    os.close(writer)
    with open(reader, encoding="utf-8") as output:
        return output.read()


def test_a_line_has_time_service_level_and_text_in_columns() -> None:
    text = printed(Line("info", "hello"), Line("warning", "mind"))
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3}  gateway   info     hello\n"
        r"\d\d:\d\d:\d\d\.\d{3}  gateway   warning  mind\n",
        text,
    )


def test_each_line_of_a_text_has_its_columns() -> None:
    assert printed(Line("error", "one\ntwo")).count("gateway   error") == 2


def test_debug_is_not_shown() -> None:
    assert printed(Line("debug", "chatter")) == ""


def test_colours_only_where_asked_for() -> None:
    assert "\x1b[" not in printed(Line("error", "x"))
    assert "\x1b[31merror" in printed(Line("error", "x"), colour=True)


def test_control_characters_do_not_reach_the_terminal() -> None:
    text = printed(Line("info", "a\x1b[2Jb\x07"))
    assert text.endswith("a?[2Jb?\n")


def test_an_unread_pipe_stops_nobody_and_the_loss_is_told() -> None:
    reader, writer = os.pipe()
    terminal = Terminal(writer, colour=False)
    for number in range(30_000):
        terminal.print(f"{number} {'x' * 100}")
    with open(reader, encoding="utf-8") as output:
        for _ in range(12_000):
            terminal.print("later")
            if "lines were not shown" in output.readline():
                break
        else:
            raise AssertionError("the loss was not told")
    terminal.close()
    os.close(writer)


def test_a_closed_pipe_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    terminal = Terminal(writer, colour=False)
    terminal.print("nobody hears this")
    terminal.close()
    os.close(writer)
