-- Where Stripe counts what no rows explain, in the due lanes: how much of each bucket or hour, and the entries of it that
-- are not sealed. Only buckets of before the restore was noticed: what came later no forgotten call can have counted. A
-- `count` meter counts entries. What two meters of one name count is not added up, nor is what a meter of another formula
-- counted compared with these entries: it stands on the desk. A pass looks at so many, drawn by lot, because matching takes
-- its time under locks.
SELECT
    c.lane_id, c.start, c.minute, c.value, m.formula = 'count' AS is_counting,
    array_agg(e.entry_id ORDER BY e.entry_id) AS entry_ids,
    array_agg(CASE m.formula WHEN 'count' THEN 1 ELSE e.value END ORDER BY e.entry_id) AS values
FROM (
    SELECT
        lane_id, date_bin(%(reach)s, minute, 'epoch') AS start, min(minute) AS minute, sum(value) AS value,
        max(began_at) AS noticed_at, min(meter_stripe_id) AS meter_stripe_id
    FROM open_external
    JOIN epoch USING (epoch_id)
    WHERE lane_id IN (SELECT lane_id FROM due)
    GROUP BY lane_id, date_bin(%(reach)s, minute, 'epoch')
    HAVING count(DISTINCT meter_stripe_id) = 1
) AS c
JOIN lane AS l USING (lane_id)
JOIN meter AS m USING (account, meter)
JOIN entry AS e
    ON e.lane_id = c.lane_id AND e.bucket >= c.start AND e.bucket < c.start + %(reach)s AND e.meter_event_id IS NULL
    AND e.bucket < c.noticed_at
WHERE NOT EXISTS (
    SELECT FROM meter_event AS b
    WHERE b.lane_id = c.lane_id AND b.meter_stripe_id = c.meter_stripe_id AND b.formula <> m.formula
)
GROUP BY c.lane_id, c.start, c.minute, c.value, m.formula
HAVING count(*) <= %(entries_max)s
ORDER BY random()
LIMIT %(cells_max)s
