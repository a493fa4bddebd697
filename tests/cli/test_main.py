"""Every command can be asked for help, and whatever goes wrong is one line on stderr and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import click
import pytest

from musicvae_lite.cli import check
from musicvae_lite.cli.main import COMMANDS, cli, main
from musicvae_lite.errors import MusicVAEError


def commands(name: str) -> list[str]:
    """Every command below this one, itself if it is no group: "check", "corpus folk" …"""
    with click.Context(cli) as context:
        command = cli.get_command(context, name)
    return [f"{name} {inner}" for inner in command.commands] if isinstance(command, click.Group) else [name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in commands(name):
        assert main([*words.split(), "--help"]) == 0
        page = capsys.readouterr().out
        assert f"\n    musicvae {words} " in page.partition("Example")[2]


def test_the_help_page_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert all(f"\n  {name} " in page for name in COMMANDS)


def test_the_version_is_that_of_the_installed_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("musicvae, version ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chek"], "error: No such command 'chek'. See 'musicvae --help'.\n"),
        (["corpus", "xyz"], "error: No such command 'xyz'. See 'musicvae corpus --help'.\n"),
        (["check"], "error: Missing argument 'FOLDER'. See 'musicvae check --help'.\n"),
        (["check", ".", "--bars", "0"], "error: Invalid value for '--bars': 0 is not in the range x>=1."),
    ],
    ids=["command", "command of a group", "argument", "option"],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(message)
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MusicVAEError("a.mid: no notes:\nchoose another"), 2, "error: a.mid: no notes: choose another\n"),
        (PermissionError(13, "Permission denied", "/out"), 2, "error: /out: Permission denied\n"),
        (KeyboardInterrupt(), 130, "\n"),
    ],
    ids=["of ours", "of the system", "Ctrl-C"],
)
def test_an_error_inside_a_command_is_one_line_and_never_a_traceback(
    error: BaseException,
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(check.check, "callback", fail)
    assert main(["check", "."]) == code
    assert capsys.readouterr().err == message


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line_without_our_source_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check.check, "callback", lambda **_: warnings.warn("the disk is nearly full", stacklevel=1))
    assert main(["check", "."]) == 0
    assert capsys.readouterr().err == "warning: the disk is nearly full\n"


def test_a_reader_that_goes_away_is_not_an_error_to_talk_about() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "musicvae_lite", "--help"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.stderr == ""
