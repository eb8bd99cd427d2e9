"""The credentials of a deployment: made, checked, rotated, shown. The room of effects on secret files.

Nothing is re-exported: to show one's own credentials needs neither the makers of certificates nor of hashes,
and those are slow to import.
"""
