"""Latency: is the candidate slower than the baseline, by how much, and how sure is that?"""
