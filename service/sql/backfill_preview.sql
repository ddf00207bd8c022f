-- What closing a backfill would change, of a page of its rows, by customer, meter, stretch and reason. A page at a time: all
-- rows of a large one take longer than a statement may.
SELECT
    r.customer, r.meter, r.formula, r.standing, r.reason, s.item, s.price, s.starts_at, count(*) AS rows,
    sum(r.value) AS units, min(r.occurred_at) AS since, max(r.occurred_at) AS until, max(r.place) AS place
FROM (
    SELECT *
    FROM staged_row
    WHERE backfill_id = %(backfill_id)s AND place > %(after)s
    ORDER BY place
    LIMIT %(rows_max)s
) AS r
LEFT JOIN LATERAL (
    SELECT t.item, t.price, t.starts_at
    FROM stretch AS t
    WHERE t.account = r.account AND t.customer = r.customer AND t.meter_stripe_id = r.meter_stripe_id
        AND t.starts_at <= r.occurred_at AND t.ends_at > r.occurred_at AND NOT t.is_trial AND t.closed_at IS NULL
    ORDER BY t.item
    LIMIT 1
) AS s ON r.standing = 'recorded'
GROUP BY r.customer, r.meter, r.formula, r.standing, r.reason, s.item, s.price, s.starts_at
