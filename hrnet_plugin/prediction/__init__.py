"""Prediction on images, folders and videos with models of the hosts and with exported models."""
