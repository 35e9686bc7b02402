"""Bringing other programs' views (MLflow's runs, Optuna's studies) into step with the ledger. The only package that imports mlflow."""
