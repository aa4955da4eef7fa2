"""Make a melody from nothing, or continue one.

The folder's name is not `invent`, because the package exports a function of that name.
"""
