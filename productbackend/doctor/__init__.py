"""`manage.py doctor`: looks at a deployment from inside, and says of each part that it is good, or what to do."""
