"""`python -m chaos.crashes`: dies at every crash point, in every way, and lets the rest go on; `make crashpoints`."""

import json
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from multiprocessing import Pipe, Process, connection
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from chaos.crashes.cases import Case, Ending, cases, play, tether
from chaos.crashes.ground import Ground
from chaos.crashes.report import show
from local.parent import end_with_parent
from local.postgres import postgres
from local.sandbox import sandbox
from local.valkey import valkey
from service.crash_points import Kind

LANES = 3  # of cases; one more than the cores that this is meant for, as a case waits half of its time
EPILOG = """\b
Examples:
  python -m chaos.crashes
  python -m chaos.crashes --only submit --kind kill
  python -m chaos.crashes --only submit.after_call --report crashes.json
"""


@click.command(epilog=EPILOG)
@click.option("--only", default="", help="Only crash points with this in their name.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in Kind]),
    multiple=True,
    help="Only this way to fail; repeatable.",
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write what was found as JSON.")
def main(*, only: str, kinds: tuple[str, ...], report: Path | None) -> None:
    """Fail at every crash point; exit 1 where something is lost, doubled, left lying, or a point is not reached."""
    end_with_parent()
    began = time.monotonic()
    wanted = cases(only=only, kinds=tuple(Kind(kind) for kind in kinds) or tuple(Kind))
    if not wanted:
        raise click.UsageError(f"no crash point has {only!r} in its name")
    with ExitStack() as until_the_end:
        endings = play_all(wanted, until_the_end)
    if report:
        report.write_text(json.dumps([asdict(ending) for ending in endings], indent=2))
    unplayed = len(wanted) - len(endings)
    show(endings, unplayed=unplayed, seconds=time.monotonic() - began)
    sys.exit(any(ending.wrongs for ending in endings) or unplayed > 0)


def play_all(wanted: list[Case], until_the_end: ExitStack) -> list[Ending]:
    """All cases, in lanes of their own beside each other."""
    files = Path(until_the_end.enter_context(TemporaryDirectory(prefix="meterpost-")))
    ledgers = until_the_end.enter_context(postgres(fsync=False)).url
    queues = until_the_end.enter_context(valkey()).url.rpartition("/")[0]
    grounds = [
        Ground(
            postgres_url=ledgers,
            database=f"lane_{lane}",
            broker_url=f"{queues}/{2 * lane}",
            redis_url=f"{queues}/{2 * lane + 1}",
            sandbox_url=until_the_end.enter_context(sandbox()).url,
            files=files / str(lane),
        )
        for lane in range(LANES)
    ]
    ends = [start_lane(ground, wanted[lane::LANES]) for lane, ground in enumerate(grounds)]
    return listen(ends, wanted=len(wanted))


def start_lane(ground: Ground, share: list[Case]) -> Connection:
    here, there = Pipe(duplex=False)
    lane = Process(target=play_lane, args=(ground, share, there), daemon=True)
    lane.start()
    there.close()
    return here


def play_lane(ground: Ground, share: list[Case], told: Connection) -> None:
    tether()
    ground.prepare()
    for case in share:
        told.send(play(case, ground))
    told.close()


def listen(ends: list[Connection], *, wanted: int) -> list[Ending]:
    endings: list[Ending] = []
    with click.progressbar(length=wanted, label="cases", file=sys.stderr) as bar:
        while ends:
            for told in connection.wait(ends):
                assert isinstance(told, Connection), "only our own pipes are waited for"
                try:
                    endings.append(told.recv())
                    bar.update(1)
                    if endings[-1].wrongs:
                        click.echo(f"{endings[-1].case}: {'; '.join(endings[-1].wrongs)}", err=True)
                except EOFError:
                    ends.remove(told)
    return endings


if __name__ == "__main__":
    main()
