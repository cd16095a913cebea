"""The workflows of GitHub: actions are pinned, rights are few, and what they name is there."""

import re
from pathlib import Path

import pytest
import yaml

from local import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").iterdir())
PINNED = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+")
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def jobs(path: Path) -> list[dict]:
    return list(yaml.safe_load(path.read_text())["jobs"].values())


def steps(job: dict, action: str) -> list[dict]:
    """The steps of a job that use an action."""
    return [each for each in job["steps"] if each.get("uses", "").startswith(f"{action}@")]


@each_workflow
def test_actions_are_pinned_by_hash(path):
    """A tag can be moved; the comment is for readers and for Dependabot."""
    uses = re.findall(r"uses: (.*)", path.read_text())
    assert [each for each in uses if not PINNED.fullmatch(each)] == []
    assert len(uses) == sum("uses" in step for job in jobs(path) for step in job["steps"]) > 0


def test_an_action_has_one_version_everywhere():
    """And a version one hash."""
    uses = re.findall(r"uses: (.*?)@(.*)", "\n".join(path.read_text() for path in WORKFLOWS))
    assert len(set(uses)) == len({action for action, _ in uses})


@each_workflow
def test_a_job_has_the_rights_that_it_names_and_a_limit_of_time(path):
    """Only a job that runs no code of the project may write."""
    assert yaml.safe_load(path.read_text())["permissions"] == {}
    for job in jobs(path):
        assert job["timeout-minutes"] <= 60
        checkouts = steps(job, "actions/checkout")
        if checkouts:
            assert job["permissions"] == {"contents": "read"}
        assert all(each["with"]["persist-credentials"] is False for each in checkouts)


@each_workflow
def test_no_value_of_an_event_becomes_code(path):
    """A branch may be named `$(command)`; environment variables are values in a shell."""
    assert not [step for job in jobs(path) for step in job["steps"] if "${{" in step.get("run", "")]


def test_each_supported_python_runs_everything():
    """On a Python of its own, which PYTHON tells `make`."""
    ci = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text())["jobs"]["ci"]
    assert ci["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert ci["env"]["PYTHON"] == "python${{ matrix.python }}"
    assert ci["steps"][-1] == {"run": ".ci/run"}


def test_a_release_is_built_without_a_cache():
    """What another workflow cached is not released."""
    build = yaml.safe_load((GITHUB / "workflows" / "release.yml").read_text())["jobs"]["build"]
    assert not any("cache" in step.get("with", {}) for step in build["steps"])
    (node,) = steps(build, "actions/setup-node")
    assert node["with"]["package-manager-cache"] is False


def test_updates_are_asked_for_wherever_versions_are_written():
    """Each folder with a list of packages is named in dependabot.yml."""
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    named = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    tests = [
        each for each in ROOT.glob("tests/*/**/package.json") if "node_modules" not in each.parts
    ]
    npm = {("npm", f"/{each.parent.relative_to(ROOT)}") for each in tests}
    python = [ROOT / "requirements.txt", *ROOT.glob("*/requirements.txt")]
    pip = {("pip", f"/{each.parent.relative_to(ROOT)}".replace("/.", "/")) for each in python}
    assert named == npm | pip | {("github-actions", "/")}


def test_every_form_is_yaml():
    """GitHub shows nothing of one that it cannot read."""
    for path in (GITHUB / "ISSUE_TEMPLATE").iterdir():
        assert yaml.safe_load(path.read_text()), path.name
