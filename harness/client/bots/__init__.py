"""Chatbots that are not OpenAI-compatible: a request as data, an answer by an expression."""
