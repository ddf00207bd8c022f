"""Eight submit processes share a limit: no two calls on a lane, the rate used and not exceeded, nobody starved."""
