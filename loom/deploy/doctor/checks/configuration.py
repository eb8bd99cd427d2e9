"""The collector's configuration: YAML, names of its components, and what the collector itself says."""

from typing import Any

from loom.deploy.doctor.checks import steps
from loom.deploy.doctor.checks.versions import running
from loom.deploy.doctor.components import uses, version
from loom.deploy.doctor.evidence import Evidence
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok, warning
from loom.deploy.plan.model import Service
from loom.deploy.programs import OTELCOL

YAML, COMPONENTS, ACCEPTED = "collector-yaml", "collector-components", "collector-accepts"
_NONE = not_applicable("no collector configuration is at hand (--config)")


def parsed(text: str) -> Any:  # noqa: ANN401 - YAML
    """The document; ValueError says where its syntax is wrong."""
    import yaml  # noqa: PLC0415 - slow to import, and `--help` must not pay for it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        message = place + str(getattr(error, "problem", None) or error)
        raise ValueError(message) from error


def judge_yaml(evidence: Evidence) -> Judgement:
    """Each of the collector's files is YAML."""
    files, wrong = evidence.collector_files, []
    for path, text in files.items():
        try:
            parsed(text)
        except ValueError as error:
            wrong.append(f"{path}: {error}")
    if wrong:
        return broken("; ".join(wrong), f"correct the YAML of {wrong[0].partition(':')[0]}, or render again")
    return ok(f"read {', '.join(files)}") if files else _NONE


def judge_components(evidence: Evidence) -> Judgement:
    """No component has a name that the collector in use has given up."""
    files = evidence.collector_files
    if not files:
        return _NONE
    in_use = version(running(evidence, Service.COLLECTOR) or OTELCOL.version)
    found = []
    for path, text in files.items():
        try:
            found += [(path, use) for use in uses(parsed(text), in_use)]
        except ValueError as error:
            return cannot_tell(f"{path} is no YAML: {error}")
    if not found:
        return ok(f"no deprecated name in {', '.join(files)}")
    said = "; ".join(f"{path}: {use.said}" for path, use in found)
    remedy = "; ".join(dict.fromkeys(use.remedy for _, use in found))
    return broken(said, remedy) if any(use.gone for _, use in found) else warning(said, remedy)


def judge_acceptance(evidence: Evidence) -> Judgement:
    """The real collector takes its configuration."""
    if not evidence.collector_files:
        return _NONE
    if not evidence.refusals:
        return cannot_tell(
            f"otelcol {OTELCOL.version} is not installed", "run: loom-deploy toolchain install"
        )
    refused = {path: said for path, said in evidence.refusals.items() if said}
    if not refused:
        return ok(f"otelcol validate takes {', '.join(evidence.refusals)}")
    said = "; ".join(f"{path}: {' '.join(words.split())}" for path, words in refused.items())
    return broken(f"otelcol validate refuses {said}", "correct it, or render again: loom-deploy render")


CHECKS = (
    Check(YAML, "The collector's configuration is YAML", steps.SYNTAX, judge_yaml),
    Check(
        COMPONENTS,
        "The collector's configuration uses no name that is gone",
        steps.DEPRECATED,
        judge_components,
        (YAML,),
    ),
    Check(
        ACCEPTED, "The collector takes its configuration", steps.SYNTAX, judge_acceptance, (YAML, COMPONENTS)
    ),
)
