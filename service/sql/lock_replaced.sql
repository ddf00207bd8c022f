-- A person may have another go at what is replaced here: whoever comes second finds what the first one did. Behind the lanes,
-- as everybody locks signups.
SELECT s.signup_id
FROM signup AS s
WHERE s.signup_id IN (
    SELECT k.entry_id
    FROM staged_signup AS told
    JOIN row_key AS k ON (k.account, k.source, k.row_id) = (told.account, told.source, told.replaces)
)
ORDER BY s.signup_id
FOR UPDATE
