"""Runs kept in a second place, such as a bucket, so that another machine can go on with them."""
