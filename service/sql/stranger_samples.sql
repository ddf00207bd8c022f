-- The newest first: who looks here asks what comes now.
SELECT reason, n, received_at, remote_address, content_length, signature, body
FROM stranger_sample
WHERE account = %(account)s
ORDER BY received_at DESC, reason, n
LIMIT %(samples_max)s
