# shellcheck shell=bash
# Paths of the deployment tests' tools. Sourced.

export DEPLOY_TOOLS=${DEPLOY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/pulsecheck/deploy-tools}
# Docker looks for plugins here, so that the tests do not use a person's own configuration and credentials.
export DOCKER_CONFIG=$DEPLOY_TOOLS/docker
# Unpacked programs, and the directories where only root looks for programs.
export PATH=$PATH:/usr/sbin:/sbin:$DEPLOY_TOOLS/own/root/usr/sbin:$DEPLOY_TOOLS/own/root/usr/bin
