"""Statistics: numbers in, small frozen values out; no tables, no SQL, no pictures."""
