"""Suites for airspeed velocity."""
