"""The sound path in 20 ms frames: choose, ramp, duck, limit, meter."""
