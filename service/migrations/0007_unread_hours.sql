-- A turn that Stripe refused to answer was no reading: it stays due, and is taken the more rarely the longer Stripe refuses.
ALTER TABLE confirmed_hour ADD COLUMN unread_since timestamptz;  -- Stripe refuses to tell since then; null: it tells
