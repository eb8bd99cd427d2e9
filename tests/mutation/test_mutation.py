"""The mutation check itself: its changes are real changes, its sample is a fair one, its score is held."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.mutation", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=280)


@pytest.mark.smoke
@pytest.mark.slow
def test_of_a_sample_of_mutants_nearly_all_are_noticed() -> None:
    # All of them: python -m tests.mutation
    done = run("--sample", "150", "--seed", "6")
    score = re.search(r"(\d+) of (\d+) mutants tried, .*: score ([\d.]+) %", done.stdout)
    assert score, done.stdout + done.stderr
    assert (int(score[1]), done.returncode) == (150, 0), done.stdout
    assert int(score[2]) > 1000
    assert float(score[3]) >= 95


@pytest.mark.smoke
def test_every_kind_of_change_is_made_to_an_alert_that_has_it() -> None:
    done = run("--alert", "LoomEventsDropped")
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.split("change ")[1].splitlines()
    kinds = {line.split()[0] for line in table[1:] if re.fullmatch(r"\w+ +\d+ +\d+", line)}
    assert kinds == {"comparison", "for", "grouping", "label", "matcher", "set", "threshold", "window"}


@pytest.mark.smoke
def test_tests_that_notice_nothing_do_not_score() -> None:
    # Of the tests of an alert only the one in which nothing happens is left.
    script = (
        "import dataclasses, pathlib, tempfile\n"
        "from loom.deploy import profile\n"
        "from loom.deploy.plan import derive\n"
        "from tests.mutation.mutant import mutants\n"
        "from tests.mutation.trial import Trial, subjects\n"
        "every = subjects(derive(profile.load('prod')))\n"
        "one = next(each for each in every if each.rule['alert'] == 'LoomToolFailing')\n"
        "left = tuple(test for test in one.tests if 'without a failure' in test['name'])\n"
        "blind = dataclasses.replace(one, tests=left)\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    found = Trial(pathlib.Path(folder)).run([(blind, list(mutants(one.rule)))])\n"
        "print(sum(each.killed for each in found), len(found))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY, timeout=120)
    killed, tried = map(int, done.stdout.split())
    assert killed < tried / 2
