"""One restore under load: rows, a copy of the ledger, calls that it forgets, and what Stripe counts in the end."""

import random
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis

from chaos.restores.place import Place, RestorableServer, opened
from cli.main import run

METER = "tokens"
CUSTOMERS = 3
HOURS_BACK = 3
REASON = "a restore on purpose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    row_id: str
    customer: str
    value: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of one seed; `doubled` and `lost` are units."""

    seed: int
    rows: int
    forgotten_calls: int
    forgotten_rows: int
    is_noticed: bool
    calls_before_confirming: int
    externals: int
    doubled: int
    lost: int
    standing: int  # before a person in the end

    @property
    def is_wrong(self) -> bool:
        unheard = not self.is_noticed or self.calls_before_confirming
        return bool(unheard or self.doubled or self.lost or self.standing)


@dataclass(kw_only=True)
class Round:
    """`seed` decides everything: the rows, which steps were walked when, what is lost besides the ledger."""

    seed: int
    server: RestorableServer
    witness_file: Path | None  # None: nobody remembers the calls, as without a guard
    place: Place = field(init=False)
    rows: list[Row] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)

    def play(self) -> Found:
        chance = random.Random(self.seed)
        with ExitStack() as stack:
            self.place = stack.enter_context(self._opened())
            self._prepare()
            self._live(chance, rows=chance.randint(20, 60))
            if chance.random() < 0.5:
                self.place.seal()  # and called for only in the time that is forgotten
            self.server.keep()
            kept_rows, kept_calls = len(self.rows), self.place.calls()
            self._live(chance, rows=chance.randint(10, 60))
            self._send_something()
            forgotten, calls = self.rows[kept_rows:], self.place.calls()
            self._restore(chance, stack)
            is_noticed, calls_after = self._hold(chance), self.place.calls()
            self._confirm()
            self._publish(forgotten)
            self.place.walk()
            return self._judge(
                is_noticed=is_noticed,
                forgotten_rows=len(forgotten),
                forgotten_calls=calls - kept_calls,
                calls_before_confirming=calls_after - calls,
            )

    def _prepare(self) -> None:
        self.place.make_meter(METER)
        self.customers = [self.place.make_customer() for _ in range(CUSTOMERS)]

    def _live(self, chance: random.Random, *, rows: int) -> None:
        """Rows come, and each step has got as far as it happens to have."""
        for _ in range(3):
            new = [self._row(chance) for _ in range(rows // 3)]
            self.rows += new
            self._publish(new)
            for step in (self.place.record, self.place.seal, self.place.send, self.place.confirm):
                if chance.random() < 0.75:
                    step()
        self.place.record()  # what stays on the queue is not the ledger's to forget

    def _send_something(self) -> None:
        """At least one call is forgotten, or there is nothing to notice."""
        self.rows.append(Row(row_id=f"last-{self.seed}", customer=self.customers[0], value=11, occurred_at=_hour(1)))
        self._publish(self.rows[-1:])
        self.place.record()
        self.place.seal()
        self.place.send()

    def _restore(self, chance: random.Random, stack: ExitStack) -> None:
        is_flushed, is_started_anew = chance.random() < 0.3, chance.random() < 0.5
        if is_flushed:
            with redis.Redis.from_url(self.place.settings.redis_url) as connection:
                connection.flushdb()
        self.server.put_back()
        if is_started_anew:
            self.place = stack.enter_context(self._opened())

    def _opened(self) -> AbstractContextManager[Place]:
        return opened(witness_file=self.witness_file, is_redis_witness=self.witness_file is not None)

    def _hold(self, chance: random.Random) -> bool:
        """New rows come meanwhile, and are recorded; whether anybody noticed."""
        new = [self._row(chance) for _ in range(10)]
        self.rows += new
        self._publish(new)
        self.place.walk()
        return self.place.waits_for_person()

    def _confirm(self) -> None:
        """Once Stripe's summaries have had their time; the ledger's clock is moved instead of waited for."""
        self.place.write("UPDATE ledger_clock SET ahead_by = ahead_by + interval '2 s'")
        run(["reconcile", "--epoch", "--json"])
        run(["reconcile", "--epoch", "--confirm", "--yes", "--reason", REASON, "--json"])

    def _judge(
        self, *, is_noticed: bool, forgotten_rows: int, forgotten_calls: int, calls_before_confirming: int
    ) -> Found:
        counted, wanted = self.place.counted(), self._wanted()
        differences = [counted.get(customer, 0) - units for customer, units in wanted.items()]
        ((externals,),) = self.place.ask("SELECT count(*) FROM external")
        ((standing,),) = self.place.ask("SELECT count(*) FROM dead_letter")
        return Found(
            seed=self.seed,
            rows=len(self.rows),
            forgotten_calls=forgotten_calls,
            forgotten_rows=forgotten_rows,
            is_noticed=is_noticed,
            calls_before_confirming=calls_before_confirming,
            externals=int(str(externals)),
            doubled=sum(units for units in differences if units > 0),
            lost=-sum(units for units in differences if units < 0),
            standing=int(str(standing)),
        )

    def _wanted(self) -> dict[str, int]:
        wanted = dict.fromkeys(self.customers, 0)
        for row in self.rows:
            wanted[row.customer] += row.value
        return wanted

    def _row(self, chance: random.Random) -> Row:
        at = _hour(HOURS_BACK) + timedelta(minutes=chance.randrange(0, 60 * (HOURS_BACK - 1), 10))
        return Row(
            row_id=f"row-{self.seed}-{chance.getrandbits(48)}",
            customer=chance.choice(self.customers),
            value=chance.randint(1, 9),
            occurred_at=at,
        )

    def _publish(self, rows: list[Row]) -> None:
        with self.place.client.batch() as batch:
            for row in rows:
                batch.usage(
                    row.customer, METER, row.value, occurred_at=row.occurred_at, row_id=row.row_id, source="restores"
                )


def _hour(back: int) -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=back)
