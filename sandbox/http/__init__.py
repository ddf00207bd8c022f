"""HTTP: from bytes to a call as it arrived, and from an answer to bytes, spoilt where a fault says so."""
