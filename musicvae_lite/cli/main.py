"""`musicvae COMMAND …`: the table of commands, and what becomes of an error.

A command's module is imported when the command runs, so `musicvae --help` starts at once. An error that a person can
put right becomes one line on stderr and exit code 2; Ctrl-C exits with 130; any other traceback is a bug of ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, TextIO

import click

from musicvae_lite.errors import MusicVAEError

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class Entry(NamedTuple):
    """Where a command is (`module:name` in this package's `cli`), and its line in `musicvae --help`."""

    target: str
    summary: str


COMMANDS = {
    "check": Entry("check:check", "What in a folder of MIDI would be used, and why the rest would not."),
    "corpus": Entry("corpus:corpus", "Build a corpus of MIDI files to train on."),
    "train": Entry("train:train", "Learn a model from a folder of MIDI files."),
    "interpolate": Entry("interpolate:interpolate", "The tunes that lie between two tunes: MIDI, a picture, sound."),
    "sample": Entry("sample:sample", "New tunes out of a model: MIDI, a picture, sound."),
    "vary": Entry("vary:vary", "Variations of a tune: MIDI, a picture, sound."),
    "humanize": Entry("humanize:humanize", "A stiff beat, played as a drummer would: MIDI, a picture, sound."),
    "evaluate": Entry(
        "evaluate:evaluate", "How good a model is on a folder of MIDI: a table, JSON, a page with pictures."
    ),
    "export": Entry("export:export", "A model as ONNX, to run where there is no Python."),
}


class LazyGroup(click.Group):
    """A group whose commands are rows of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].target.split(":")
        command = getattr(import_module(f"musicvae_lite.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, epilog="Try: musicvae interpolate a.mid b.mid --steps 8 --wav --out morph/")
@click.version_option(package_name="musicvae-lite", prog_name="musicvae")
def cli() -> None:
    """Two melodies go in; the tunes that lie between them come out."""


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line (without the program's name; default: this process's) and give its exit code."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            result = cli.main(args, prog_name="musicvae", standalone_mode=False)
        except click.exceptions.NoArgsIsHelpError as help_page:
            help_page.show()
            return BAD_INPUT
        except click.ClickException as error:
            return _complain(f"{error.format_message()}{_where_to_look(error)}")
        except MusicVAEError as error:
            return _complain(str(error))
        except OSError as error:
            return _complain(f"{error.filename or 'file'}: {error.strerror or error}")
        except (click.Abort, KeyboardInterrupt):
            return INTERRUPTED
    return result if isinstance(result, int) else 0


def _where_to_look(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f" See '{context.command_path} --help'." if context else ""


def _complain(message: str) -> int:
    _say("error", message)
    return BAD_INPUT


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    _say("warning", str(message))


def _say(what: str, message: str) -> None:
    click.echo(f"{what}: {' '.join(message.split())}", err=True)
