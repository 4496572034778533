"""Receipts: what a promotion rests on, in standard form, and anybody's check of it.

A receipt is an in-toto statement in a DSSE envelope. Beside it lies the evidence, one record a
line, under a Merkle tree; scores, bounds and the verdict follow from it without a server.
"""
