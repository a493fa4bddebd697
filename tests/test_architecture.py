"""The house stands: imports point up the list of stages, early stages stay light, files and functions stay short."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "musicvae_lite"
# In this order; a stage imports from itself and from those before it.
STAGES = [
    "errors",
    "files",
    "music",
    "tokens",
    "corpus",
    "inference",
    "model",
    "pretrained",
    "explore",
    "evaluation",
    "training",
    "rendering",
    "api",
    "studio",
    "cli",
]
ONLY = {"rendering": {"errors", "files", "music", "rendering"}}  # draws and sounds notes, whatever made them
ENTRANCES = {"__init__", "__main__"}  # stand before the house and may reach into any room
WITHOUT_TORCH = ["errors", "files", "music", "tokens", "corpus", "inference", "pretrained", "explore"]
HEAVY = {"torch", "numpy", "symusic", "pretty_midi", "mido", "matplotlib", "rich"}
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve"}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40

PACKAGE_FILES = sorted(PACKAGE.rglob("*.py"))
ALL_FILES = [*PACKAGE_FILES, *sorted((ROOT / "scripts").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def stage_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[str]:
    """Full names of everything that a file imports, inside functions too: `musicvae_lite.music.grid.Bar`."""
    package = (module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]).split(".")
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(parse(path)) if isinstance(node, Function))


def lines_of_code(path: Path) -> set[int]:
    """Numbers of the lines that hold more than a comment or a docstring."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    source = path.read_text(encoding="utf-8")
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(parse(path)):
        if isinstance(node, Function | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines -= set(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return lines


def loaded_after(statements: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after `statements`."""
    report = "import sys; print('\\n' + ' '.join(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{statements}\n{report}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_every_part_of_the_package_is_a_stage_of_the_list() -> None:
    assert {stage_of(path) for path in PACKAGE_FILES} - ENTRANCES <= set(STAGES)


@pytest.mark.parametrize("path", PACKAGE_FILES, ids=name_of)
def test_imports_only_point_up_the_list_of_stages(path: Path) -> None:
    stage = stage_of(path)
    allowed = set(STAGES) if stage in ENTRANCES else ONLY.get(stage, set(STAGES[: STAGES.index(stage) + 1]))
    ours = {name for name in imports(path) if name.partition(".")[0] == "musicvae_lite"}
    wrong = {name for name in ours if name.split(".")[1:2] == [] or name.split(".")[1] not in allowed}
    assert not wrong, f"{stage} may import from {sorted(allowed)} only"


@pytest.mark.parametrize("path", [p for p in PACKAGE_FILES if stage_of(p) in WITHOUT_TORCH], ids=name_of)
def test_the_early_stages_never_name_torch(path: Path) -> None:
    assert "torch" not in {name.partition(".")[0] for name in imports(path)}


def test_importing_every_early_module_does_not_load_torch() -> None:
    modules = [module_of(p) for p in PACKAGE_FILES if stage_of(p) in WITHOUT_TORCH]
    assert "torch" not in loaded_after(f"import {', '.join(modules)}")


def test_importing_the_package_does_not_load_torch() -> None:
    assert "torch" not in loaded_after("import musicvae_lite")


def test_the_help_page_loads_nothing_heavy() -> None:
    assert not loaded_after("from musicvae_lite.cli.main import main; main(['--help'])") & HEAVY


TUNE = str(ROOT / "data" / "examples" / "frere_jacques.mid")


@pytest.mark.parametrize(
    "words",
    [
        ["interpolate", TUNE, TUNE, "--steps", "2"],
        ["sample", "-n", "2"],
        ["sample", "-n", "1", "--model", "trio-2bar"],
        ["sample", "-n", "1", "--model", "groove-2bar"],
    ],
    ids=" ".join,
)
def test_playing_a_bundled_model_loads_neither_torch_nor_matplotlib(words: list[str], tmp_path: Path) -> None:
    arguments = [*words, "--out", str(tmp_path / "out")]
    loaded = loaded_after(f"from musicvae_lite.cli.main import main; assert main({arguments}) == 0")
    assert (tmp_path / "out" / "01.mid").exists()
    assert not loaded & {"torch", "matplotlib", "pretty_midi", "rich"}


def test_importing_every_command_loads_nothing_heavy_but_arrays() -> None:
    modules = [module_of(p) for p in PACKAGE_FILES if stage_of(p) == "cli"]
    assert not loaded_after(f"import {', '.join(modules)}") & (HEAVY - {"numpy"})


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_no_function_has_more_than_40_lines_of_code(path: Path) -> None:
    code = lines_of_code(path)
    lengths = {f.name: len(code & set(range(f.lineno, (f.end_lineno or f.lineno) + 1))) for f in functions(path)}
    assert not {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES}


@pytest.mark.parametrize("path", [*PACKAGE_FILES, *sorted((ROOT / "scripts").rglob("*.py"))], ids=name_of)
def test_every_file_opens_with_what_it_is(path: Path) -> None:
    assert ast.get_docstring(parse(path))


def test_every_folder_of_code_is_a_package() -> None:
    assert not [name_of(p.parent) for p in PACKAGE_FILES if not (p.parent / "__init__.py").exists()]


def test_every_folder_of_tests_mirrors_one_of_the_package() -> None:
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("*.py")}
    assert not [folder.as_posix() for folder in folders if not (PACKAGE / folder).is_dir()]


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_nothing_is_pickled(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imports(path)} & PICKLES
    torch_files = [n for n in ast.walk(parse(path)) if isinstance(n, ast.Attribute) and n.attr in ("save", "load")]
    assert not [n.lineno for n in torch_files if isinstance(n.value, ast.Name) and n.value.id == "torch"]


@pytest.mark.parametrize("path", [p for p in PACKAGE_FILES if stage_of(p) != "cli"], ids=name_of)
def test_only_the_command_line_prints(path: Path) -> None:
    calls = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    assert not [n.lineno for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"]
