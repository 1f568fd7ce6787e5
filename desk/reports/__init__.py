"""Bulletins (通报): drafted from frozen figures, edited in words only, signed, and sent."""
