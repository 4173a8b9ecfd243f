"""Real-time classroom attendance from a webcam."""
