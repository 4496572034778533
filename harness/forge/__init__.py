"""GitHub and GitLab: the comment of a gate on a pull or merge request."""
