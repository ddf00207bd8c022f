-- From here on nothing is sealed or sent, and what was sealed is in doubt. After `lock_epochs`.
SELECT begin_epoch(%(cause)s, %(witness_id)s, %(witness_key)s) AS epoch_id
