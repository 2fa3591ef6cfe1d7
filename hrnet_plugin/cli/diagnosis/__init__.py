"""Diagnosis of an environment. Imports only the standard library, so that it runs in broken environments."""
