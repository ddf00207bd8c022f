-- Stripe's books were compared with ours as a whole; `read_at` is before the first question.
UPDATE epoch
SET compared_at = %(read_at)s
WHERE epoch_id = %(epoch_id)s
