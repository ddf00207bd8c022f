-- All of these, in the order of their ids, so that two who do this wait in line instead of in a ring.
SELECT lane_id FROM lane WHERE lane_id = ANY(%(lane_ids)s) ORDER BY lane_id FOR UPDATE
