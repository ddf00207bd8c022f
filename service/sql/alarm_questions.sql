-- How it stands with each question: a kind that is not asked, or fails, tells nothing of what is wrong.
SELECT kind, asked_at, answered_at, subjects, left_out, failures, reason
FROM alarm_question
WHERE account = %(account)s
ORDER BY kind
