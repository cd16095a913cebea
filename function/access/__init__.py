"""Who may do what: authentication, authorization, quotas."""
