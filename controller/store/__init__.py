"""The controller's database: one schema, its migrations, and how it is opened."""
