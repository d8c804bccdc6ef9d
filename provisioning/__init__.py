"""The technician's tools: keys, anchor, grants, enrolment, bundles for a USB stick, and the demo's ceremony."""
