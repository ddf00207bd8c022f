-- The question could not be asked: its open alarms stay, and the failure is counted until an answer comes.
UPDATE alarm_question
SET failures = failures + 1, reason = %(reason)s
WHERE (account, kind) = (%(account)s, %(kind)s)
RETURNING failures
