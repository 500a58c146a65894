"""Drills on the host that makes them: its keys, the scratch, the live service it compares with, and its reports."""
