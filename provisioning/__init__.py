"""The technician's tools: keys, enrolment, checks."""
