"""Enrolment: what the five photos are, what each must be, and how they become templates."""
