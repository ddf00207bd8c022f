-- Meter events that are about to be: what each formula makes of its entries, before what all have in common. Temporary:
-- it lives in this connection and is empty after every commit.
CREATE TEMPORARY TABLE IF NOT EXISTS draft (
    lane_id bigint NOT NULL,
    bucket timestamptz NOT NULL,
    stamped_at timestamptz NOT NULL,
    minute timestamptz,
    value numeric NOT NULL,
    entry_ids bigint[] NOT NULL,
    unsent_reason text,                     -- null: it is to be sent
    unsent_state text NOT NULL DEFAULT 'confirmed',     -- what becomes of it where it is not
    cell tstzrange                          -- of the external that it is; null: it is none
) ON COMMIT DELETE ROWS
