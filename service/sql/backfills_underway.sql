-- Backfills that stand half-way: somebody began to close or to revert them, and rows are left.
SELECT name, state FROM backfill WHERE state IN ('closing', 'reverting') ORDER BY backfill_id
