"""Learning a classifier from somebody's own messages: offline, behind `pointsman train`. Needs the extra `train`."""
