"""Owns the command line: `messenger up`, `token`, `status`, `config`, `check`, and what operators ask."""

import argparse
import json
import os
import sys
from typing import NoReturn

from chat_api import check
from gateway.operating import OperatorError, add_commands, user_id
from messenger_local.configuration import SERVICES
from messenger_local.datadir import DataDir, existing_secret
from messenger_local.failure import StackError
from messenger_local.services import DEFAULT_WORKERS, Address, parse_workers
from messenger_local.stack import Options, run_stack
from messenger_local.status import read_status
from messenger_local.terminal import Terminal
from messenger_shared import redis_link, tokens
from messenger_shared.settings import Environment
from messenger_shared.variables import report

_DAY_S = 86_400
_INTERRUPTED = 130
_TTL_MAX_S = 100 * 365 * _DAY_S


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all errors of this program are."""

    def error(self, message: str) -> NoReturn:
        raise StackError(f"{message} (see {self.prog} --help)")


def main() -> None:
    """Runs the command; exit code 0, or 1 with one line on standard error."""
    try:
        options = _parser().parse_args()
        options.command(options)
    except (StackError, OperatorError) as error:
        sys.exit(f"messenger: {error}")
    except KeyboardInterrupt:
        # Before the stack listens for signals, when there is nothing to stop yet.
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # Whoever reads our output has enough of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> _Parser:
    parser = _Parser(prog="messenger", description="The whole messenger on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run it until Ctrl-C")
    up.add_argument("--port", type=int, default=8080, help="port of the gateway (8080)")
    up.add_argument("--host", default="127.0.0.1", help="address of the gateway (127.0.0.1)")
    defaults = ",".join(f"{name}={count}" for name, count in DEFAULT_WORKERS.items())
    up.add_argument("--workers", default="", metavar="SERVICE=N,…", help=f"processes ({defaults})")
    up.add_argument("--redis", metavar="URL", help="a Redis of yours instead of the embedded one")
    up.set_defaults(command=_up)
    token = commands.add_parser("token", help="print a token of a user, for development")
    token.add_argument("user_id", metavar="USER_ID", type=user_id)
    token.add_argument("--ttl", type=int, default=_DAY_S, metavar="SECONDS", help="may be negative (a day)")
    token.set_defaults(command=_token)
    asking = add_commands(commands, lambda options: [read_status(DataDir.at(options.data_dir))["redis_url"]])
    status = commands.add_parser("status", help="addresses and processes of the running stack")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(command=_status)
    config = commands.add_parser("config", help="the settings in the environment, checked, secrets masked")
    config.add_argument("service", nargs="*", choices=[*SERVICES, []], help="of these alone")
    config.set_defaults(command=_config)
    audit = commands.add_parser("check", help="audit the data of the running stack")
    audit.add_argument("--repair", action="store_true", help="set right what follows from other numbers")
    audit.set_defaults(command=_check)
    for command in (up, token, status, audit, *asking):
        place = os.environ.get("MESSENGER_DATA_DIR") or ".messenger"
        command.add_argument(
            "--data-dir", default=place, metavar="DIR", help="where all is kept (.messenger)"
        )
    return parser


def _up(options: argparse.Namespace) -> None:
    if not 1 <= options.port <= 65_535:
        raise StackError(f"--port: {options.port} is not between 1 and 65535")
    asked = Options(
        data=DataDir.at(options.data_dir),
        gateway=Address(options.host, options.port),
        workers=parse_workers(options.workers),
        redis_url=_redis_url(options.redis),
    )
    fd = sys.stdout.fileno()
    terminal = Terminal(fd, colour=os.isatty(fd) and not os.environ.get("NO_COLOR"))
    try:
        run_stack(asked, terminal)
    finally:
        terminal.close()


def _redis_url(text: str | None) -> str | None:
    if text is not None:
        try:
            redis_link.Address.parse(text)
        except ValueError as error:
            raise StackError(f"--redis: {error}") from None
    return text


def _token(options: argparse.Namespace) -> None:
    if abs(options.ttl) > _TTL_MAX_S:
        raise StackError(f"--ttl: {options.ttl} is more than a hundred years")
    print(tokens.mint(options.user_id, existing_secret(DataDir.at(options.data_dir)), options.ttl))


def _status(options: argparse.Namespace) -> None:
    status = read_status(DataDir.at(options.data_dir))
    if options.json:
        print(json.dumps(status, indent=1))
        return
    for name in ("url", "database_url", "redis_url"):
        print(f"{name:13} {status[name]}")
    for row in status["processes"]:
        print(f"{row['service']:13} {row['role']:7} {row['pid']}")


def _config(options: argparse.Namespace) -> None:
    wrong = []
    for service in options.service or SERVICES:
        lines, is_sound = report(SERVICES[service], Environment(os.environ))
        print(f"# {service}", *lines, "", sep="\n")
        if not is_sound:
            wrong.append(service)
    if wrong:
        raise StackError(f"with this, {' and '.join(wrong)} would not start")


def _check(options: argparse.Namespace) -> None:
    url = read_status(DataDir.at(options.data_dir))["database_url"]
    if check.run(url, repair=options.repair):
        raise StackError("the data are not as they should be")
