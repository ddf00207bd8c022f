"""`python -m chaos.power`: a hundred power cuts under load, and two controls that must lose what they acknowledged."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from chaos.power.cut import BlindShim
from chaos.power.disk import NoCompiler, NotModelled
from chaos.power.run import Plan, StandsStill, Tally, play
from local.parent import end_with_parent

CONTROL_CUTS = 5
EPILOG = """\b
Examples:
  python -m chaos.power --cuts 100 --seed 1
  python -m chaos.power --cuts 10 --report cuts.json
"""


@click.command(epilog=EPILOG)
@click.option(
    "--cuts",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="How often the power fails; the controls' are apart.",
)
@click.option("--seed", default=1, show_default=True, help="Of the moments, and of what the disks forget.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there as JSON.")
def main(*, cuts: int, seed: int, report: Path | None) -> None:
    """Cut the power of Valkey and PostgreSQL; exit 1 when an acknowledged row is lost, or a control loses none."""
    end_with_parent()
    try:
        tallies = {name: play(plan) for name, plan in plans(cuts=cuts, seed=seed).items()}
    except (NoCompiler, NotModelled, BlindShim, StandsStill) as unfinished:
        raise click.ClickException(str(unfinished)) from unfinished
    _show(tallies)
    if report is not None:
        report.write_text(json.dumps({name: figures(tally) for name, tally in tallies.items()}, indent=2) + "\n")
    for sentence in (wrongs := verdict(tallies)):
        click.echo(sentence, err=True)
    sys.exit(bool(wrongs))


def plans(*, cuts: int, seed: int) -> dict[str, Plan]:
    """Ours first. Each control takes away one server's durability, and cuts that server's power alone."""
    return {
        "ours": Plan(cuts=cuts, seed=seed),
        "appendfsync everysec": Plan(
            cuts=CONTROL_CUTS,
            seed=seed,
            which=(("valkey",),),
            valkey={"appendfsync": "everysec"},
            standstill_share=1.0,  # what `record` took in time is safe in the ledger
        ),
        "synchronous_commit off": Plan(
            cuts=CONTROL_CUTS,
            seed=seed,
            which=(("postgres",),),
            postgres={"synchronous_commit": "off"},
            standstill_share=0.0,
        ),
    }


def verdict(tallies: dict[str, Tally]) -> list[str]:
    """What is wrong, a sentence each."""
    wrongs = []
    for name, tally in tallies.items():
        wrongs += [f"{name}: {told}" for told in tally.wrong]
        if tally.extra:
            wrongs.append(f"{name}: {tally.extra:,} rows in the ledger were never offered, or are not there once")
        if name == "ours" and tally.lost:
            wrongs.append(f"{tally.lost:,} acknowledged rows are lost")
        if name != "ours" and not tally.lost:
            wrongs.append(f"{name} lost nothing, as a control must: the shim is blind")
    return wrongs


def figures(tally: Tally) -> dict[str, object]:
    servers = {each.name: {"cuts": each.cuts, **asdict(each.forgotten)} for each in tally.servers}
    names = ("offered", "acknowledged", "recorded", "lost", "extra", "wrong")
    return {"servers": servers, "seconds": round(tally.seconds, 1), **{name: getattr(tally, name) for name in names}}


def _show(tallies: dict[str, Tally]) -> None:
    cuts = Table("server", "cuts", "writes forgotten", "bytes", "survived in part", title="power cuts")
    rows = Table("run", "acknowledged", "recorded", "lost", "extra", "seconds", title="rows")
    for name, tally in tallies.items():
        for each in tally.servers:
            if each.cuts:
                forgotten = (each.forgotten.writes, each.forgotten.bytes_forgotten, each.forgotten.bytes_survived)
                cuts.add_row(f"{each.name}, {name}", *(f"{count:,}" for count in (each.cuts, *forgotten)))
        counted = (tally.acknowledged, tally.recorded, tally.lost, tally.extra, round(tally.seconds))
        rows.add_row(name, *(f"{count:,}" for count in counted))
    Console().print(cuts, rows)


if __name__ == "__main__":
    main()
