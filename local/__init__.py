"""A whole meterpost on one machine: embedded servers, the restarting supervisor, the demo."""
