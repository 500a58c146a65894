"""Keys that turn while the service goes on: long jobs in small commits, each of which may be the last before a crash.

A job is a row of phases. Every phase does its work batch by batch, and the batch, the job's progress and the proof
that the worker still holds the job are one commit: a worker that was paused and wakes up late changes nothing.
"""
