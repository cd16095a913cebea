"""Values and rules that need neither AWS nor HTTP: errors, fields, roles, limits, tokens."""
