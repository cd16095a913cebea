"""Values and rules that need neither AWS nor HTTP: errors, fields, names, roles, limits, paging."""
