"""Power cuts on Redis and PostgreSQL: what was not synced is forgotten, and what was acknowledged must not be."""
