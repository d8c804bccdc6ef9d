"""The append-only log of every act, with who did it."""
