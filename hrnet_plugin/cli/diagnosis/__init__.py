"""Diagnosis of an environment. Imports the standard library only, so that it runs where everything else is broken."""
