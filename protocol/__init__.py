"""What both ends agree on: documents, envelopes, grants, reports, topics and every size limit.

Pure: no clock, socket, file or random number. Imports nothing of ours.
"""
