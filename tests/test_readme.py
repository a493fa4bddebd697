"""What the README says holds: its Python is run, its commands exist with their options, its links lead to files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from musicvae_lite.cli.main import COMMANDS, cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def command_lines() -> list[list[str]]:
    lines = [shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()]
    return [words for words in lines if words]


@pytest.mark.parametrize("block", blocks("python"))
def test_the_python_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "between.mid").stat().st_size > 0


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_every_command_and_option_exists(words: list[str]) -> None:
    assert words[0] == "musicvae"
    command: click.Command | None = cli
    context = click.Context(cli)
    rest = words[1:]
    while isinstance(command, click.Group):
        command, rest = command.get_command(context, rest[0]), rest[1:]
    assert command is not None
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in rest if word.startswith("-")} <= known
    # The arguments are right if click can parse them; a value that must exist is not asked for here.
    command.make_parser(context).parse_args(list(rest))


def test_every_command_is_shown() -> None:
    assert {words[1] for words in command_lines()} == set(COMMANDS)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_link_leads_to_a_file_of_the_repository(target: str) -> None:
    assert (ROOT / target).exists()
