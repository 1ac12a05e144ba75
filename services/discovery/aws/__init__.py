"""Real AWS accounts as a source: read through boto3, never written."""
