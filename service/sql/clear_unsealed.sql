-- The bell of a bucket is silenced only when none of its entries is left. Entries and bells commit together, so a bell
-- that this statement sees comes with entries that it sees as well.
DELETE FROM unsealed AS u
WHERE u.lane_id = ANY(%(lane_ids)s)
    AND NOT EXISTS (
        SELECT FROM entry AS e
        WHERE (e.lane_id, e.bucket) = (u.lane_id, u.bucket) AND e.meter_event_id IS NULL
    )
