"""The verbs: one public function each, record in, record out."""
