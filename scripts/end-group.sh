#!/bin/sh
# Ends the process group $1 as soon as our input ends. That happens when the process at its other end
# closes it or dies, also by kill -9.
read -r _

kill -s INT -- "-$1"
tenths=0
while [ "$tenths" -lt 50 ] && kill -s 0 -- "$1"; do
  sleep 0.1
  tenths=$((tenths + 1))
done

# The leader has ended, or does not end. The other processes of the group have no more work.
kill -s KILL -- "-$1"
exit 0
