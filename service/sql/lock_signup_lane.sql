-- First the lock, then a fresh look: what was recorded while we waited must not be missed by what is computed next.
SELECT signup_lane_id FROM signup_lane WHERE signup_lane_id = %(signup_lane_id)s FOR UPDATE
