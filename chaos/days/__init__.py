"""Days on a virtual clock: outages that no retry outlives, and what becomes of everything that was held."""
