"""Reads the command line, runs one command, and turns errors into one clear line."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, Protocol, cast

from crmsdk.errors import CrmsdkError

__all__ = ["main"]

_FILE: Final = """\
FILE is a Python file, module:name, or a JSON definition. A Python file may say at its top level:
  journeys    a list of journeys; without it every Journey there is taken
  policy      a ContactPolicy                 catalog   a Catalog
  templates   a folder beside the file, a mapping, or an engine
  zone        an IANA zone name               url       the database, as sqlite:///crm.db
  channels, senders, active, unsubscribe, secret: as of Crm.open
  responses   how people answer, for simulate; an EventMap or CustomerMap of any name reads a table"""


class _Command(Protocol):
    def execute(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Words of the command line without the program's name; those of this process if left out.

    Returns:
        The exit status: 0 fine, 1 something was found, 2 the command could not be done, 130 interrupted.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    path = list(sys.path)
    debug = "--debug" in given
    try:
        if given[:1] == ["demo"]:  # it reads its own words
            return int(import_module("crmsdk.demo").main(given[1:]) or 0)
        args = _parser().parse_args(given)
        # A command is loaded when it is asked for, so that each starts as fast as it can.
        command = cast("_Command", import_module(f"crmsdk.cli.{args.command}"))
        return command.execute(args)
    except CrmsdkError as error:
        if debug:
            raise
        print(f"crmsdk: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if debug:
            raise
        print(f"crmsdk: {error.strerror or type(error).__name__}: {error.filename or ''}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if debug:
            raise
        print("crmsdk: interrupted", file=sys.stderr)
        return 130
    finally:
        sys.path[:] = path  # FILE's folder was added


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crmsdk",
        description="Lifecycle marketing as typed Python: check, simulate, preview what code defines.",
        epilog=_FILE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, about: str) -> argparse.ArgumentParser:
        found = commands.add_parser(
            name, help=about, description=about, epilog=_FILE, formatter_class=parser.formatter_class
        )
        found.add_argument("--debug", action="store_true", help="show the traceback of an error")
        return found

    commands.add_parser("demo", help="run the whole way through on real purchases", add_help=False)
    _validate(command("validate", "check journeys without running them; exit status 1 when one cannot run"))
    _simulate(command("simulate", "run journeys on recorded history, on a virtual clock; nothing is sent"))
    _preview(command("preview", "show a message for one customer, and the policy's answer; nothing is sent"))
    _doctor(
        command("doctor", "look for what would go wrong on this machine; exit status 1 when something would")
    )
    command("version", "show the release")
    return parser


def _validate(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE")
    command.add_argument("--catalog", action="store_true", help="print the tracking plan, too")


def _simulate(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE")
    command.add_argument(
        "--history",
        action="append",
        required=True,
        metavar="[MAP=]TABLE",
        help="a CSV or JSON-lines file (also .gz), read by the map of that name in FILE; without a map a CSV "
        "has the columns customer, event, at and perhaps id, all others are properties; may be repeated",
    )
    command.add_argument(
        "--start", required=True, help="when the journeys come into force: a date, or a moment"
    )
    command.add_argument("--until", required=True, help="the end: a date (its midnight), or a moment")
    command.add_argument("--seed", type=int, default=0, help="of the answers people give; 0 by default")
    command.add_argument("--zone", help="the project's zone, if FILE does not say it")
    command.add_argument("--by", help="count sends by these, with commas: day, channel, journey, step …")
    command.add_argument("--timeline", metavar="CUSTOMER", help="show everything about one customer, too")
    command.add_argument("--html", metavar="OUT", help="write the report as one HTML page")


def _preview(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE")
    command.add_argument("template", metavar="TEMPLATE")
    command.add_argument("--customer", required=True, metavar="ID", help="the customer's user id")
    command.add_argument("--via", required=True, help="channels in order of preference, with commas")
    command.add_argument("--kind", default="promo", help="promo (default), content, trigger or service")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable a trigger would bring; JSON, or else text; may be repeated",
    )
    command.add_argument("--db", metavar="URL", help="the database, if FILE does not say url")
    command.add_argument("--zone", help="the project's zone, if FILE does not say it")


def _doctor(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", nargs="?", help="look at its channels, too")
    command.add_argument("--db", metavar="URL", help="look at this database, too")
