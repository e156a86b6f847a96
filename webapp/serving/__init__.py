"""The worker of gunicorn that keeps slow clients away from the threads; and what they are told."""
