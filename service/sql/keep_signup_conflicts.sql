-- As of usage, and after it: only now are the keys visible that another intake committed meanwhile. A row of usage under the
-- same id is other content too.
WITH told AS (
    SELECT s.*
    FROM staged_signup AS s
    JOIN row_key AS k USING (account, source, row_id)
    WHERE k.content_hash <> s.content_hash
),
kept AS (
    INSERT INTO row_conflict (intake_id, account, source, row_id, content_hash, customer, said)
    SELECT DISTINCT ON (account, source, row_id, content_hash)
        %(intake_id)s, account, source, row_id, content_hash, customer, said
    FROM told
    ORDER BY account, source, row_id, content_hash, position
    ON CONFLICT (account, source, row_id, content_hash) DO NOTHING
)
SELECT count(*) AS rows FROM told
