"""What the audit's records say in words that the people concerned understand: one module a language.

Each module has the same names: OPERATIONS, FIELDS, PURPOSES, VIEWS, RESULTS, CALLERS, and the words between.
"""
