"""The operator's own signing program: shows what a document says, asks, signs exactly those bytes (trust.md).

It runs on the operator's machine under its own origin, so a changed page of the controller cannot make it sign.
"""
