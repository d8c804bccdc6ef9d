"""The as-run log: what really sounded, how loud it was measured, and what should have sounded and was not heard."""
