"""Executors place assignments on devices. They decide nothing: what is placed, and what follows, is the coordinator's."""
