-- Entries of a `sum` meter become one meter event per lane, bucket and billing period, each owning a minute in which
-- Stripe's summary shows it alone. Run twice: first a minute is looked for within the bucket (%(reach)s = the bucket,
-- %(may_share)s = false), then for what is left within its hour, sharing the time of the bucket's start where the hour
-- is full. A sum that exceeds Stripe's 15 digits falls back to one meter event an entry. A minute that a period's start
-- cuts belongs to the period before it. Every step carries its columns along instead of joining back: the planner knows
-- nothing of how many rows these steps have, and a join of two of them would compare each with each.
WITH members AS (
    SELECT
        d.lane_id, d.bucket, l.account, l.customer, l.meter, edges, e.entry_id, e.value,
        width_bucket(e.occurred_at, edges) AS part,
        sum(e.value) OVER (PARTITION BY d.lane_id, d.bucket, width_bucket(e.occurred_at, edges)) AS total
    FROM due AS d
    JOIN lane AS l USING (lane_id)
    JOIN meter AS m USING (account, meter)
    CROSS JOIN LATERAL edges_within(l.account, l.customer, l.meter, d.bucket, %(bucket)s) AS edges
    JOIN entry AS e USING (lane_id, bucket)
    WHERE m.formula = 'sum' AND e.meter_event_id IS NULL
        AND NOT EXISTS (SELECT FROM kept_back AS k WHERE k.entry_id = e.entry_id)
),
chunks AS (
    SELECT
        lane_id, bucket, account, customer, meter,
        greatest(bucket, edges[part]) AS part_start, date_bin(%(reach)s, bucket, 'epoch') AS cell,
        CASE WHEN digits(total) <= 15 THEN 0 ELSE entry_id END AS chunk,
        sum(value) AS value, array_agg(entry_id) AS entry_ids
    FROM members
    GROUP BY lane_id, bucket, account, customer, meter, edges, part, chunk
),
periods AS (
    SELECT c.*, p.period_start, p.period_end
    FROM chunks AS c
    CROSS JOIN LATERAL (
        SELECT
            max(edge_at) FILTER (WHERE edge_at <= c.part_start) AS period_start,
            min(edge_at) FILTER (WHERE edge_at > c.part_start) AS period_end
        FROM period_edge AS e
        WHERE (e.account, e.customer, e.meter) = (c.account, c.customer, c.meter)
    ) AS p
),
numbered AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY lane_id, cell, period_start ORDER BY part_start, chunk)::integer AS n
    FROM periods
)
INSERT INTO draft (lane_id, bucket, stamped_at, minute, value, entry_ids, unsent_reason)
SELECT
    n.lane_id, n.bucket, coalesce(free.minutes[n.n], n.part_start), free.minutes[n.n], n.value, n.entry_ids,
    CASE n.value WHEN 0 THEN 'a sum of zero: nothing to report' END
FROM numbered AS n
CROSS JOIN LATERAL (
    SELECT array_agg(candidate ORDER BY candidate) AS minutes
    FROM generate_series(n.cell, n.cell + %(reach)s - interval '1 minute', interval '1 minute') AS candidate
    WHERE candidate >= coalesce(n.period_start, '-infinity')
        AND candidate < coalesce(n.period_end, 'infinity')
        AND candidate <= ledger_now()
        AND NOT EXISTS (SELECT FROM external AS x WHERE (x.lane_id, x.minute) = (n.lane_id, candidate))
        AND NOT EXISTS (SELECT FROM meter_event AS taken WHERE (taken.lane_id, taken.minute) = (n.lane_id, candidate))
) AS free
WHERE %(may_share)s OR free.minutes[n.n] IS NOT NULL
