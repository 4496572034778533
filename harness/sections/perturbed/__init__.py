"""Sections whose cases are asked in other forms too, or by different people."""
