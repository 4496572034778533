"""What stands between a case and a server: a choice of servers, limits, a budget."""
