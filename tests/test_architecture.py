"""The shape of the code, held by a machine: who imports whom, what the pure parts may not touch, how long things are.

Type annotations are not judged by what they are called, only by what is written; a finding names file and line.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("protocol", "edge", "hardware", "signer", "controller", "provisioning", "simulators")
PURE = ("protocol", "edge/core")

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 45
LONGER_FILES = {
    "hardware/interfaces.py": "all that a board offers on one page",
}

LASTS_ONE_STEP = {"edge/core/turn.py"}
"""Data that is filled while one decision is made and never leaves it."""

CRYPTOGRAPHERS = frozenset({"protocol/keys.py", "protocol/sealed.py"})

FORBIDDEN_IMPORTS = frozenset(
    {
        "asyncio",
        "concurrent",
        "io",
        "locale",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "secrets",
        "select",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "uuid",
    }
)
FORBIDDEN_CALLS = frozenset({"hash", "open", "print", "input", "id", "vars", "globals", "eval", "exec", "__import__"})
CLOCK_READS = frozenset({"now", "utcnow", "today", "monotonic", "time", "perf_counter", "time_ns", "monotonic_ns"})
SET_MAKERS = frozenset({"set", "frozenset"})
ORDER_BLIND = frozenset({"sorted", "set", "frozenset", "len", "sum", "min", "max", "any", "all"})


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _parsed(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for path in _files(*folders):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


@pytest.mark.slow
def test_import_contracts_hold() -> None:
    # In a process of its own: the linter configures logging, and switches off every logger that is there already.
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_pure_parts_import_no_world() -> None:
    found = [
        f"{name}:{line} imports {module}"
        for name, tree in _parsed(*PURE)
        for line, module in _imported(tree)
        if module.split(".")[0] in FORBIDDEN_IMPORTS
    ]
    assert not found, "\n".join(found)


def test_only_keys_and_sealed_import_cryptography() -> None:
    found = [
        f"{name}:{line}"
        for name, tree in _parsed(*PURE)
        for line, module in _imported(tree)
        if module.split(".")[0] == "cryptography" and name not in CRYPTOGRAPHERS
    ]
    assert not found, "\n".join(found)


def test_pure_parts_read_no_clock() -> None:
    found = [
        f"{name}:{call.lineno} reads {ast.unparse(call.func)}"
        for name, tree in _parsed(*PURE)
        for call in _calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in CLOCK_READS
        and ast.unparse(call.func.value) in {"datetime", "date", "time", "datetime.datetime", "datetime.date"}
    ]
    assert not found, "\n".join(found)


def test_pure_parts_call_nothing_unrepeatable() -> None:
    found = [
        f"{name}:{call.lineno} calls {call.func.id}"
        for name, tree in _parsed(*PURE)
        for call in _calls(tree)
        if isinstance(call.func, ast.Name) and call.func.id in FORBIDDEN_CALLS
    ]
    assert not found, "\n".join(found)


def test_pure_parts_leak_no_set_order() -> None:
    found = [
        f"{name}:{node.lineno} goes through a set in no order: {ast.unparse(node)[:80]}"
        for name, tree in _parsed(*PURE)
        for node in _set_walks(tree)
    ]
    assert not found, "\n".join(found)


def _set_walks(tree: ast.Module) -> Iterator[ast.expr]:
    """Sets that a loop, a list or a tuple walks through. A set stays unseen when it comes through a name."""
    blind = {id(argument) for call in _calls(tree) if _named(call) in ORDER_BLIND for argument in call.args}
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and _is_set(node.iter):
            yield node.iter
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp) and id(node) not in blind:
            yield from (one.iter for one in node.generators if _is_set(one.iter))
        elif isinstance(node, ast.Call) and _named(node) in {"list", "tuple", "enumerate", "next", "iter"}:
            yield from (argument for argument in node.args if _is_set(argument))


def _named(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        return _named(node) in SET_MAKERS
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub | ast.BitXor):
        return _is_set(node.left) or _is_set(node.right)
    return False


def test_set_walks_are_seen() -> None:
    leaky = "for a in {1, 2}: pass\nb = [c for c in set(d) - e]\nf = tuple(frozenset(g))"
    blind = "sorted(set(a))\nmax(b for b in {1, 2})\nlen({3})\n4 in {4}"
    assert len(list(_set_walks(ast.parse(leaky)))) == 3
    assert not list(_set_walks(ast.parse(blind)))


def test_documents_hold_no_floats() -> None:
    found = [
        f"{name}:{field.lineno} {ast.unparse(field)[:80]}"
        for name, tree in _parsed("protocol")
        for field in _fields(tree)
        if any(isinstance(node, ast.Name) and node.id in {"float", "Decimal"} for node in ast.walk(field.annotation))
    ]
    assert not found, "\n".join(found)


def _fields(tree: ast.Module) -> Iterator[ast.AnnAssign]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (one for one in node.body if isinstance(one, ast.AnnAssign))


def test_documents_are_frozen_and_slotted() -> None:
    found = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in _parsed(*PURE)
        if name not in LASTS_ONE_STEP
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if "dataclass" in ast.unparse(decorator) and "frozen=True, slots=True" not in ast.unparse(decorator)
    ]
    assert not found, "\n".join(found)


def test_files_stay_short() -> None:
    found = [
        f"{name}: {lines} lines, at most {FILE_LINES_MAX}"
        for path in _files(*PACKAGES)
        if (name := str(path.relative_to(ROOT))) not in LONGER_FILES
        and (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX
    ]
    assert not found, "\n".join(found)


def test_functions_stay_short() -> None:
    found = [
        f"{name}:{node.lineno} {node.name}: {lines} lines, at most {FUNCTION_LINES_MAX}"
        for name, tree in _parsed(*PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not found, "\n".join(found)


def test_modules_say_what_for() -> None:
    found = [
        name
        for name, tree in _parsed(*PACKAGES)
        if not ast.get_docstring(tree) and not name.endswith("migrations/env.py")
    ]
    assert not found, "\n".join(found)


def test_nobody_mocks() -> None:
    found = [
        f"{name}:{line} imports {module}"
        for name, tree in _parsed("tests")
        for line, module in _imported(tree)
        if module.startswith("unittest")
    ]
    assert not found, "\n".join(found)


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "lib"}
    found = [str(path.relative_to(ROOT)) for path in _files(*PACKAGES, "tests") if path.stem in drawers]
    assert not found, "\n".join(found)
