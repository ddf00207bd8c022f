-- Without its bell an entry would never be sealed, and so never be billed.
SELECT format('lane %%s', e.lane_id) AS subject,
    format('%%s entries of the bucket at %%s wait, and no bell rings for them', count(*), e.bucket) AS said
FROM entry AS e
WHERE e.meter_event_id IS NULL
    AND NOT EXISTS (SELECT FROM unsealed AS u WHERE u.lane_id = e.lane_id AND u.bucket = e.bucket)
GROUP BY e.lane_id, e.bucket
LIMIT %(breaches_max)s
