"""The technician's tools and the demo's ceremony."""
