"""Speed figures. Threads wait as they do under the entry scripts, whose speed is measured."""

from utils.threads import limit_spinning

limit_spinning()
