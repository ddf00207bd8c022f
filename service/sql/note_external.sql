-- Beyond what is known of the minute, so that a second comparison finds only what is new. After `lock_lane`, and not where
-- another comparison kept something of the minute since this one began to ask: it would be the same.
INSERT INTO external (epoch_id, lane_id, meter_stripe_id, minute, value)
SELECT %(epoch_id)s, %(lane_id)s, %(meter_stripe_id)s, %(minute)s, %(value)s
WHERE NOT EXISTS (
    SELECT FROM external AS x
    WHERE x.lane_id = %(lane_id)s AND x.minute = %(minute)s AND x.meter_stripe_id = %(meter_stripe_id)s
        AND x.found_at >= %(read_at)s
)
