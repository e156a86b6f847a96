"""What calls the service from outside: a ready snippet for each kind of caller, and our lines in a crontab. Pure.

A caller is only a clock. It comes often and asks for what is due; which project that is, the service knows. So one
caller does for any number of projects, and a late or doubled call does no harm.
"""
