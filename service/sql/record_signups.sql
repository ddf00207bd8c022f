-- As of usage, the unique key decides what is new, and rows are sorted by it. What replaces another row closes that one here,
-- under the lock of its lane, where nothing of it was made and nothing is being asked; else it waits itself for a person, who
-- is told why. Of two that replace the same row the first one does. Signups are numbered as they were told: of two for one
-- customer the first is made first.
WITH first_told AS (
    SELECT DISTINCT ON (account, source, row_id) *
    FROM staged_signup
    ORDER BY account, source, row_id, position
),
numbered AS MATERIALIZED (
    SELECT *, nextval('entry_id') AS signup_id
    FROM (SELECT * FROM first_told ORDER BY position) AS in_order
),
fresh AS (
    INSERT INTO row_key (account, source, row_id, content_hash, entry_id)
    SELECT account, source, row_id, content_hash, signup_id
    FROM numbered
    ORDER BY account, source, row_id
    ON CONFLICT (account, source, row_id) DO NOTHING
    RETURNING account, source, row_id, entry_id
),
judged AS (
    SELECT
        fresh.entry_id AS signup_id, lane.signup_lane_id, told.*, replaced.signup_id AS replaced_id,
        CASE
            WHEN told.replaces IS NULL THEN NULL
            WHEN replaced.signup_id IS NULL
                THEN format('it replaces %%s, and no subscription row of %%s has that id', told.replaces, told.source)
            WHEN replaced.state = 'created' THEN format(
                'it replaces %%s, which has its subscription by now, %%s: change that one at Stripe, or discard this row',
                told.replaces, replaced.subscription
            )
            WHEN replaced.state = 'replaced'
                THEN format('it replaces %%s, which another row replaced before: replace that one', told.replaces)
            WHEN replaced.state NOT IN ('refused', 'blocked') OR EXISTS (
                SELECT FROM signup_attempt AS a WHERE a.signup_id = replaced.signup_id AND a.ended_at IS NULL
            ) THEN format(
                'it replaces %%s, which is %%s and may have its subscription yet: see what becomes of it',
                told.replaces, replaced.state
            )
            WHEN row_number() OVER (PARTITION BY replaced.signup_id ORDER BY told.position) > 1
                THEN format('it replaces %%s, which another row replaces too: replace that one', told.replaces)
        END AS reason
    FROM fresh
    JOIN first_told AS told USING (account, source, row_id)
    JOIN signup_lane AS lane USING (account, customer)
    LEFT JOIN row_key AS k ON (k.account, k.source, k.row_id) = (told.account, told.source, told.replaces)
    LEFT JOIN signup AS replaced ON replaced.signup_id = k.entry_id
),
closed AS (
    UPDATE signup AS s
    SET state = 'replaced'
    FROM judged AS j
    WHERE s.signup_id = j.replaced_id AND j.reason IS NULL
),
added AS (
    INSERT INTO signup (
        signup_id, signup_lane_id, intake_id, source, row_id, import_name, price, said, identifier,
        replaces, state, reason, due_at
    )
    SELECT
        signup_id, signup_lane_id, %(intake_id)s, source, row_id, import_name, price, said, identifier,
        CASE WHEN reason IS NULL THEN replaced_id END, CASE WHEN reason IS NULL THEN 'due' ELSE 'blocked' END, reason,
        CASE WHEN reason IS NULL THEN ledger_now() END
    FROM judged
    RETURNING signup_lane_id, state
),
rung AS (
    UPDATE signup_lane
    SET due_at = least(due_at, ledger_now())
    WHERE signup_lane_id IN (SELECT signup_lane_id FROM added WHERE state = 'due')
)
SELECT count(*) AS rows, count(*) FILTER (WHERE state = 'blocked') AS blocked FROM added
