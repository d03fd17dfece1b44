"""Runs the command line: `messenger up`, `seed-demo`, `token`, `status`, `check`, `reindex` and so on."""

import argparse
import asyncio
import json
import os
import sys
from typing import Any, NoReturn

from chat_api import check, reindex
from chat_api.file_check import Found, in_bucket, in_folder
from gateway.admin.commands import OperatorError, add_commands, user_id
from gateway.file_settings import FileSettings
from messenger_local import seeding
from messenger_local.configuration import SERVICES
from messenger_local.datadir import DataDir, existing_secret
from messenger_local.failure import StackError
from messenger_local.services import DEFAULT_WORKERS, Address, files_dir, parse_workers
from messenger_local.stack import Options, run_stack
from messenger_local.status import read_status
from messenger_local.terminal import Terminal
from messenger_shared.bus import redis_connection
from messenger_shared.contract import tokens
from messenger_shared.contract.errors import AppError
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.settings.variables import report

_DAY_S = 86_400
_INTERRUPTED = 130
_TTL_MAX_S = 100 * 365 * _DAY_S


class _Parser(argparse.ArgumentParser):
    """A parser that reports errors as one line, as this whole program does."""

    def error(self, message: str) -> NoReturn:
        raise StackError(f"{message} (see {self.prog} --help)")


def main() -> None:
    """Runs the command. The exit code is 0, or 1 with one line on standard error."""
    try:
        options = _parser().parse_args()
        options.command(options)
    except (StackError, OperatorError) as error:
        sys.exit(f"messenger: {error}")
    except BrokenPipeError:
        # The reader closed the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        # The machine refuses something, such as a write to a full disk: not a bug, so no traceback.
        sys.exit(f"messenger: {error}")
    except KeyboardInterrupt:
        # Ctrl-C before the stack handles signals: there is nothing to stop yet.
        sys.exit(_INTERRUPTED)


def _parser() -> _Parser:
    parser = _Parser(prog="messenger", description="Runs all of Messenger on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = _add_up(commands)
    demo = commands.add_parser("seed-demo", help="add the demo's people to the running stack")
    demo.set_defaults(command=_seed_demo)
    token = commands.add_parser("token", help="print a token for a user, for development")
    token.add_argument("user_id", metavar="USER_ID", type=user_id)
    token.add_argument(
        "--ttl",
        type=int,
        default=_DAY_S,
        metavar="SECONDS",
        help="lifetime; may be negative, for an expired token (86400)",
    )
    token.set_defaults(command=_token)
    admin_parsers = add_commands(
        commands, lambda options: read_status(DataDir.at(options.data_dir))["redis_url"].split(",")
    )
    status = commands.add_parser("status", help="print the addresses and processes of the running stack")
    status.add_argument("--json", action="store_true", help="print JSON")
    status.set_defaults(command=_status)
    config = commands.add_parser("config", help="check and print the settings, secrets masked")
    config.add_argument("service", nargs="*", choices=[*SERVICES, []], help="only these services")
    config.set_defaults(command=_config)
    audit = commands.add_parser("check", help="audit the data of the running stack")
    audit.add_argument("--repair", action="store_true", help="correct numbers that follow from other data")
    audit.set_defaults(command=_check)
    rebuild = commands.add_parser("reindex", help="rebuild the search index while the stack goes on")
    rebuild.set_defaults(command=_reindex)
    for command in (up, demo, token, status, audit, rebuild, *admin_parsers):
        data_dir = os.environ.get("MESSENGER_DATA_DIR") or ".messenger"
        command.add_argument(
            "--data-dir", default=data_dir, metavar="DIR", help="the data directory (.messenger)"
        )
    return parser


def _add_up(commands: Any) -> argparse.ArgumentParser:
    up: argparse.ArgumentParser = commands.add_parser("up", help="run the stack until Ctrl-C")
    up.add_argument("--port", type=int, default=8080, help="port of the gateway (8080)")
    up.add_argument("--host", default="127.0.0.1", help="address of the gateway (127.0.0.1)")
    defaults = ",".join(f"{name}={count}" for name, count in DEFAULT_WORKERS.items())
    up.add_argument("--workers", default="", metavar="SERVICE=N,…", help=f"processes ({defaults})")
    up.add_argument("--redis", metavar="URL,…", help="use these Redis servers instead of embedded ones")
    up.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
    up.set_defaults(command=_up)
    return up


def _up(options: argparse.Namespace) -> None:
    if not 1 <= options.port <= 65_535:
        raise StackError(f"--port: {options.port} is not between 1 and 65535")
    stack_options = Options(
        data=DataDir.at(options.data_dir),
        gateway=Address(options.host, options.port),
        workers=parse_workers(options.workers),
        redis_url=_redis_url(options.redis),
        with_demo=_wants_demo(options),
    )
    fd = sys.stdout.fileno()
    terminal = Terminal(fd, colour=os.isatty(fd) and not os.environ.get("NO_COLOR"))
    try:
        run_stack(stack_options, terminal)
    finally:
        terminal.close()


def _wants_demo(options: argparse.Namespace) -> bool:
    try:
        is_on = Environment(os.environ).flag("MESSENGER_DEMO", default=True)
    except SettingsError as error:
        raise StackError(str(error)) from None
    return is_on and not options.no_demo


def _seed_demo(options: argparse.Namespace) -> None:
    status = read_status(DataDir.at(options.data_dir))
    asyncio.run(seeding.seed(status["url"], status["redis_url"]))
    print(f"the demo is complete: {status['url']} offers its people")


def _redis_url(text: str | None) -> str | None:
    if text is not None:
        try:
            for url in text.split(","):
                redis_connection.Address.parse(url)
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
    invalid = []
    for service in options.service or SERVICES:
        lines, is_sound = report(SERVICES[service], Environment(os.environ))
        print(f"# {service}", *lines, "", sep="\n")
        if not is_sound:
            invalid.append(service)
    if invalid:
        raise StackError(f"with these settings, {' and '.join(invalid)} would not start")


def _check(options: argparse.Namespace) -> None:
    data = DataDir.at(options.data_dir)
    url = read_status(data)["database_url"]
    if check.run(url, repair=options.repair, look=lambda: _stored_files(data)):
        raise StackError("the audit found violations")


def _reindex(options: argparse.Namespace) -> None:
    if reindex.run(read_status(DataDir.at(options.data_dir))["database_url"]):
        raise StackError("the index was not rebuilt")


def _stored_files(data: DataDir) -> Found:
    """What the store of uploaded files has."""
    if (folder := files_dir(data)) is not None:
        return in_folder(folder)
    # Only here: botocore takes a second.
    from gateway.files.s3.listing import collected

    settings = FileSettings.read(Environment(os.environ))
    if settings is None or settings.s3 is None:
        raise StackError("the settings name no store of files")
    try:
        return in_bucket(asyncio.run(collected(settings.s3)))
    except (SettingsError, AppError) as error:
        raise StackError(f"the files can't be listed: {error}") from None
