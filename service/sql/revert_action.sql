-- The action by which the revert of a backfill was ordered.
SELECT revert_action_id AS action_id FROM backfill WHERE backfill_id = %(backfill_id)s
