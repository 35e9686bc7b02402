"""The search itself: the coordinator's loop, and the decisions that drive it."""
