-- The start of the first attempt that may have counted; set once, it decides when the window closes.
UPDATE generation
SET ambiguous_since = %(ambiguous_since)s
WHERE (meter_event_id, generation) = (%(meter_event_id)s, %(generation)s) AND ambiguous_since IS NULL
