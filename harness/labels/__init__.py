"""What people say of answers: files of labels, their import, and samples of answers to label."""
