"""A whole meterpost on one machine: embedded servers, the restarting supervisor and the demo."""
