"""`manage.py doctor`: checks a deployment from inside, and reports for each part that it is good, or what to do."""
