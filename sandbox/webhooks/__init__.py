"""From an event to its receivers: whom it is announced to, how it is signed, posted, repeated and spoilt."""
