"""The coverage-guided fuzzer: each target in a process of its own, over code that atheris has instrumented.

    python -m tests.fuzz.guided [--seconds S] [--runs N] [--seed R] [--keep DIRECTORY] TARGET...

All targets of one call belong to one group. Seeds are made from the builders of the tests, changed input by our own
mutations as often as by libFuzzer's: bytes alone hardly get past a check for base64. A line is printed for each
target; the exit code is 1 when one of them failed, and the input that did it is printed and kept.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import logging
import os
import sys
import tempfile
import time
import traceback
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

import atheris

from tests.fuzz.mutation import FOREIGN, mutated
from tests.fuzz.registry import group_of
from tests.fuzz.target import Target, judge

INSTRUMENTED: Final = ("protocol", "edge", "signer", "controller", "provisioning", "simulators")
_MEMORY_MB_MAX: Final = 1024
_HANG_S: Final = 10
_FAILED_AT: Final = "failed at input "


def main() -> int:
    """Runs the targets one after the other; each is forked off, because libFuzzer ends its process."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided")
    parser.add_argument("targets", nargs="+")
    parser.add_argument("--seconds", type=float, default=60, help="for each target, at most")
    parser.add_argument(
        "--runs", type=int, default=-1, help="inputs for each target; -1: as the target says; 0: no end"
    )
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--keep", type=Path, help="where inputs that reach new code are kept between calls")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    group = group_of(asked.targets[0])
    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        found = importlib.import_module(f"tests.fuzz.{group}_targets").TARGETS
    failed = [name for name in asked.targets if not _ran_well(name, found[name], asked)]
    return 1 if failed else 0


def _ran_well(name: str, target: Target, asked: argparse.Namespace) -> bool:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                _fuzz(name, target, directory, asked)
            finally:  # never back into the parent's work, such as its clean-up
                sys.stdout.flush()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        said = (directory / "said").read_text(errors="replace")
        crashes = (
            sorted(directory.glob("crash-*")) + sorted(directory.glob("*-timeout*")) + sorted(directory.glob("oom-*"))
        )
        runs = next(
            (
                line.split()[-1 if line.startswith(_FAILED_AT) else 1]
                for line in said.splitlines()
                if line.startswith(("Done ", _FAILED_AT))
            ),
            "?",
        )
        seconds = time.monotonic() - began
        print(f"{name}: {runs} inputs in {seconds:.1f} s, {'fine' if status == 0 else 'FAILED'}", flush=True)
        if status == 0:
            return True
        print(said[-4000:])
        for crash in crashes:
            print(f"{name} fails on (base64): {base64.b64encode(crash.read_bytes()).decode()}", flush=True)
    return False


def _corpus(target: Target, corpus: Path) -> Path:
    corpus.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(target.seeds()):
        (corpus / f"seed-{at}").write_bytes(seed)
    return corpus


def _options(target: Target, directory: Path, asked: argparse.Namespace) -> list[str]:
    runs = target.runs if asked.runs < 0 else asked.runs
    return [
        f"-max_total_time={max(1, round(asked.seconds))}",
        f"-max_len={target.size_max}",
        f"-artifact_prefix={directory}/",
        f"-rss_limit_mb={_MEMORY_MB_MAX}",
        f"-timeout={_HANG_S}",
        "-len_control=0",
        *([f"-runs={runs}"] if runs else []),
        *([f"-seed={asked.seed}"] if asked.seed else []),
    ]


def _fuzz(name: str, target: Target, directory: Path, asked: argparse.Namespace) -> None:
    """Never returns."""
    said = os.open(directory / "said", os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    corpus = _corpus(target, asked.keep / name if asked.keep else directory / "corpus")

    whole = [seed for seed in target.seeds() if seed not in FOREIGN]

    def change(data: bytes, size_max: int, seed: int) -> bytes:
        if seed % 2:
            return bytes(atheris.Mutate(data, size_max))
        random = Random(seed)
        # What grew is often far from any document: half of our own changes begin anew at a whole one.
        return mutated(random.choice((data, random.choice(whole))), random)[:size_max]

    numbers = count(1)

    def one(data: bytes) -> None:
        number = next(numbers)
        try:
            judge(target, data)
        except BaseException:
            print(f"{_FAILED_AT}{number}", flush=True)
            (directory / "crash-here").write_bytes(data)
            traceback.print_exc()
            raise

    atheris.Setup([name, *_options(target, directory, asked), str(corpus)], one, custom_mutator=change)
    atheris.Fuzz()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
