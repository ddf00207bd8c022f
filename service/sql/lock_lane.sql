-- First the lock, then a fresh look: what was sealed while we waited must not be missed by what is computed next.
SELECT lane_id FROM lane WHERE lane_id = %(lane_id)s FOR UPDATE
