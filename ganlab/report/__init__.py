"""Pictures of what a model makes, and runs beside each other."""
