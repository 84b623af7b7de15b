"""Files of captions to segments: what a file is, is seen from its content.

`parse_transcript` of `reading` is the way in. Everything here is pure.
"""
