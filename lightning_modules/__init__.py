"""Model families: one file each, defining `Module(FamilyModule)`. What all share stands in `_base.py` and `_training.py`."""
