"""Asking the registry by face."""
