"""`meterpost doctor`: what is missing or unsafe, one line each, with the remedy."""

import click
from rich.text import Text

from cli.exits import FAILURE, OK, USAGE
from cli.output import json_option, print_json, shown, stdout, watched
from service.doctor import could_run, examine
from service.doctor_invariants import examine_invariants
from service.findings import Finding, Severity

EPILOG = """\b
Examples:
  meterpost doctor
  meterpost doctor --invariants
  meterpost doctor --json | jq '.findings[] | select(.severity != "fine")'
"""
MARKS = {Severity.FINE: ("✓", "green"), Severity.WARNING: ("!", "yellow"), Severity.FAILURE: ("✗", "red")}


@click.command(epilog=EPILOG)
@json_option
@click.option("--invariants", is_flag=True, help="Also whether the books hold: reads them all.")
def command(*, as_json: bool, invariants: bool) -> int:
    """Say what is missing or unsafe: settings, Redis, PostgreSQL, clocks, Stripe, meters, webhook secrets, workers.

    Changes nothing, and takes some seconds at most. Exit codes: 0 fine or warnings, 1 a failure, 2 the settings cannot
    be read.
    """
    findings = [*examine(), *(_examine_invariants() if invariants else ())]
    if as_json:
        print_json({"ok": _code(findings) == OK, "findings": findings})
    else:
        _print(findings)
    return _code(findings)


def _examine_invariants() -> list[Finding]:
    with watched() as progress:
        return examine_invariants(lambda lanes: progress.track(lanes, description="reading Stripe's books"))


def _print(findings: list[Finding]) -> None:
    console = stdout()
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark, style = MARKS[finding.severity]
        remedy = f" → {shown(finding.remedy)}" if finding.remedy else ""
        console.print(Text.assemble((mark, style), f" {finding.name:{width}}  {shown(finding.text)}", (remedy, "bold")))


def _code(findings: list[Finding]) -> int:
    if not could_run(findings):
        return USAGE
    return FAILURE if any(finding.severity is Severity.FAILURE for finding in findings) else OK
