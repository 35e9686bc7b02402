"""The search itself: the coordinator's loop, and the decisions that drive it. Not named `search`: that is the public function's name."""
